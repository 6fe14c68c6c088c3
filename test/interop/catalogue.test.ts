import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { publishRecordImage } from '../../src/records/images/publish-record-image.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { temporaryPostgres } from '../support/databases.ts'
import { startDockerRegistry } from '../support/peers/docker-registry.ts'
import { describeWithPeers, findPostgresPrograms } from '../support/peers/peers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

type Page = { readonly items: readonly { readonly reference: string }[]; readonly comparedAt?: string }

describeWithPeers(['docker-registry', 'postgres'], 'two replicas on docker-registry and PostgreSQL', () => {
  it('show what others push and delete, also after the replica that scans is killed', async () => {
    await using stack = new AsyncDisposableStack()
    const registry = await startDockerRegistry()
    stack.defer(() => registry.stop())
    const { host } = registry
    const { url, close } = await temporaryPostgres(findPostgresPrograms() ?? '')
    stack.defer(close)
    const folder = stack.use(await temporaryFolder())
    const client = stack.use(new RegistryClient({ plainHttp: [host] }))
    const push = (repository: string, tag: string) =>
      publishRecordImage(client.repository({ host, repository }), [{ path: 'a' }], {
        tag,
        createdAt: '2026-01-01T00:00:00Z',
      })
    await push('team/app', 'one')
    const settings = {
      RECORD_BROKER_REGISTRY: host,
      RECORD_BROKER_PLAIN_HTTP: host,
      RECORD_BROKER_WORKER: 'none',
      RECORD_BROKER_SCAN_SECONDS: '1',
      RECORD_BROKER_SCAN_RATE: '100',
      DATABASE_URL: url,
    }
    const start = (name: string) => BrokerProcess.start(join(folder.path, name), settings)
    const first = await start('first')
    stack.defer(() => first[Symbol.asyncDispose]())
    const references = async (broker: BrokerProcess) => {
      const { items } = await broker.request<Page>('GET', '/v1/record-images')
      return items.map(({ reference }) => reference).sort()
    }
    // A replica that takes over waits for the lease of the dead one.
    const until = (broker: BrokerProcess, names: readonly string[]) =>
      vi.waitFor(
        async () => expect(await references(broker)).toEqual(names.map((name) => `${host}/${name}`)),
        { timeout: 100_000, interval: 200 },
      )
    await until(first, ['team/app:one'])
    const second = stack.use(await start('second'))
    await until(second, ['team/app:one'])
    await first.kill()
    const { digest } = await push('team/other', 'two')
    await until(second, ['team/app:one', 'team/other:two'])
    await client.repository({ host, repository: 'team/other' }).deleteManifest(digest)
    await until(second, ['team/app:one'])
  }, 240_000)
})
