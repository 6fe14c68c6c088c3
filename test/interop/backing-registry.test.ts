import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, vi } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess, isolatedEnvironment } from '../support/broker-process.ts'
import { temporaryPostgres } from '../support/databases.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { startDockerRegistry } from '../support/peers/docker-registry.ts'
import { describeWithPeers, findPostgresPrograms } from '../support/peers/peers.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

describeWithPeers(
  ['docker-registry', 'postgres'],
  'a broker with an external registry and PostgreSQL',
  () => {
    it('publishes and finds records below its prefix, and leaves conversions to a separate worker', async () => {
      const stack = new AsyncDisposableStack()
      try {
        const registry = await startDockerRegistry()
        stack.defer(() => registry.stop())
        const { url, close } = await temporaryPostgres(findPostgresPrograms() ?? '')
        stack.defer(close)
        const folder = mkdtempSync(join(tmpdir(), 'record-broker-'))
        stack.defer(() => rmSync(folder, { recursive: true, force: true }))
        const { host } = registry
        const settings = {
          RECORD_BROKER_REGISTRY: `${host}/company`,
          RECORD_BROKER_PLAIN_HTTP: host,
          DATABASE_URL: url,
        }
        const broker = stack.use(
          await BrokerProcess.start(join(folder, 'api'), { ...settings, RECORD_BROKER_WORKER: 'none' }),
        )
        const worker = spawn(process.execPath, [MAIN, 'worker'], {
          env: isolatedEnvironment({
            ...settings,
            RECORD_BROKER_DATA: join(folder, 'worker'),
            LOG_LEVEL: 'error',
          }),
          stdio: ['ignore', 'inherit', 'inherit'],
        })
        stack.defer(async () => {
          const exited = once(worker, 'exit')
          worker.kill('SIGTERM')
          expect(await exited).toEqual([0, null])
        })
        expect((await fetch(`${broker.url}/v2/`)).status).toBe(404)

        await using client = new RegistryClient({ plainHttp: [host] })
        const layers = [{ tar: buildTar(file('usr/bin/app', 'app'), file('usr/bin/other', 'other')) }]
        await pushImage(client.repository({ host, repository: 'team/app' }), { layers }, '1.0')
        const image = `${host}/team/app:1.0`
        const record = await broker.request<{ publications: { reference: string }[] }>(
          'POST',
          `/v1/records?image=${image}&workload=app&publish=true`,
          '/usr/bin/other\n',
        )
        const reference = `${host}/company/team/app:record-1.0-app`
        expect(record.publications.map((publication) => publication.reference)).toEqual([reference])
        for (const query of ['', `?image=${image}`]) {
          const listed = await broker.request<{ items: { reference: string }[] }>(
            'GET',
            `/v1/record-images${query}`,
          )
          expect(listed.items.map((item) => item.reference)).toEqual([reference])
        }

        const job = await broker.request<{ id: string }>('POST', '/v1/conversions', {
          source: image,
          target: `${host}/team/app:1.0-esgz`,
          record: { image: reference },
        })
        type Job = {
          state: string
          error?: unknown
          report?: { images: { record: { placedCount: number } }[] }
        }
        const getJob = () => broker.request<Job>('GET', `/v1/conversions/${job.id}`)
        await vi.waitUntil(async () => !['queued', 'running'].includes((await getJob()).state), {
          timeout: 30_000,
          interval: 20,
        })
        expect(await getJob()).toMatchObject({
          state: 'succeeded',
          report: { images: [{ record: { placedCount: 1 } }] },
        })
      } finally {
        await stack.disposeAsync()
      }
    })
  },
)
