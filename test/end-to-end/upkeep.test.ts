import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CacheAdministration } from '../../src/cache/cache-administration.ts'
import { DatabaseCache } from '../../src/cache/database-cache.ts'
import type { ConvertedLayer } from '../../src/conversion/reuse/converted-layer.ts'
import { computeLayerKey } from '../../src/conversion/reuse/layer-key.ts'
import type { Database } from '../../src/db/database.ts'
import { openDatabase } from '../../src/db/open-database.ts'
import { ProjectScope } from '../../src/db/project-scope.ts'
import { DEFAULT_FORMAT } from '../../src/estargz/blob-format.ts'
import { JobStore } from '../../src/jobs/queue/job-store.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { BrokerCommand, brokerSettings } from '../support/broker-command.ts'
import { HttpServer } from '../support/servers/http-server.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** Stores a tag move of a worker that does not run any more. */
async function storeAbandonedMove(database: Database, target: string): Promise<void> {
  const store = new JobStore(database).in(ProjectScope.ALL)
  const { id } = (await store.create({ kind: 'conversion', source: 'x', target, request: {} })).job
  await store.cancel('conversion', id)
  const intent = { token: 'gone', digest: digestOf('moved'), phase: 'intended' as const, changed_at: 1 }
  await database.query
    .insertInto('tag_moves')
    .values({ target, job_id: id, ...intent })
    .execute()
}

/** Stores a converted layer whose existence is to be checked. */
async function storeUncheckedLayer(database: Database, host: string): Promise<void> {
  const settings = { format: DEFAULT_FORMAT, compression: { method: 'auto' as const, level: 6 } }
  const key = computeLayerKey({ digest: digestOf('source'), size: 1 }, settings, [], [])
  const layer = { digest: digestOf('layer'), size: 1 } as ConvertedLayer
  const cache = new DatabaseCache(database, { layers: 9, images: 9 }).in(ProjectScope.ALL)
  await cache.layers.put(key, { layer, host, repository: 'app', sourceHost: host }, undefined)
  await new CacheAdministration(database).in(ProjectScope.ALL).requestCheck()
}

it('stops a worker immediately although a registry does not respond to its background tasks', async () => {
  await using folder = await temporaryFolder()
  const [tag, blob] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  await using registry = await HttpServer.start(({ path }) =>
    (path.includes('/blobs/') ? blob : tag).resolve(),
  )
  const { host } = registry
  const url = `sqlite:${join(folder.path, 'x.sqlite')}`
  const database = await openDatabase(url)
  await storeAbandonedMove(database, `${host}/app:1`)
  await storeUncheckedLayer(database, host)
  await database.close()
  const settings = { DATABASE_URL: url, RECORD_BROKER_REGISTRIES: host, RECORD_BROKER_PLAIN_HTTP: host }
  using worker = new BrokerCommand(
    'the entry point of the container',
    ['worker'],
    brokerSettings(folder.path, settings),
  )
  await Promise.all([tag.promise, blob.promise])
  worker.child.kill('SIGTERM')
  expect(await worker.waitForExit()).toBe(0)
})
