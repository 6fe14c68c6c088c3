import { expect, it } from 'vitest'
import { PostgresServer } from '../../../test/support/databases.ts'
import { describeWithPeers, findPostgresPrograms } from '../../../test/support/peers/peers.ts'
import { MetricsText } from '../../../test/support/read-metrics.ts'
import { cacheFigures } from '../../app/database-reads.ts'
import { openDatabase } from '../../db/open-database.ts'
import { WorkerDirectory } from '../../jobs/worker/worker-directory.ts'
import { createBrokerMetrics, measureDatabase } from '../../metrics/broker-metrics.ts'
import { ProcessMetrics } from '../../metrics/process-metrics.ts'
import { Scraper } from '../../metrics/scraper.ts'

describeWithPeers(['postgres'], 'with PostgreSQL', () => {
  it('a scrape is complete without the database but for its figures, and shows that it is down', async () => {
    const server = new PostgresServer(findPostgresPrograms() ?? '')
    const { set, database: observer } = new ProcessMetrics('serve', { version: '1' })
    const database = await openDatabase(server.url, { observer })
    observer.watch(database)
    const figures = cacheFigures(database, new WorkerDirectory(database))
    measureDatabase(set, figures)
    const scraper = new Scraper([set, createBrokerMetrics(figures)])
    const scrape = async () => {
      const metrics = new MetricsText(await scraper.scrape())
      return {
        up: metrics.value('record_broker_database_up', { process: 'serve' }),
        jobs: metrics.sum('record_broker_jobs', { kind: 'conversion' }),
        hasJobs: metrics.names.has('record_broker_jobs'),
        memory: metrics.sum('process_resident_memory_bytes') > 0,
      }
    }
    expect(await scrape()).toEqual({ up: 1, jobs: 0, hasJobs: true, memory: true })
    server.stop()
    const down = { up: 0, jobs: 0, hasJobs: false, memory: true }
    await expect.poll(scrape, { timeout: 60_000 }).toEqual(down)
    server.start()
    await expect.poll(scrape, { timeout: 60_000 }).toMatchObject({ up: 1, hasJobs: true })
    await database.close()
    server.remove()
  })
})
