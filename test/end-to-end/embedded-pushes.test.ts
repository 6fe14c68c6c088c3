import { expect, it, vi } from 'vitest'
import { publishRecordImage } from '../../src/records/images/publish-record-image.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

type Conversions = { readonly items: readonly { readonly target: string; readonly state: string }[] }

it('converts what is pushed to the embedded registry once, and not what it pushed itself', async () => {
  await using folder = await temporaryFolder()
  await using broker = await BrokerProcess.start(folder.path, {})
  const { host } = broker
  await using client = new RegistryClient({ plainHttp: [host] })
  const repository = client.repository({ host, repository: 'team/app' })
  // Its results match its own source.
  await broker.request('POST', '/v1/rules', {
    name: 'all',
    source: `${host}/**`,
    target: '{host}/{repository}:{tag}-esgz',
  })
  const conversions = async () => {
    const { items } = await broker.request<Conversions>('GET', '/v1/conversions')
    return items.map(({ target, state }) => `${target.slice(host.length + 1)} ${state}`).sort()
  }
  const until = (expected: readonly string[]) =>
    vi.waitFor(async () => expect(await conversions()).toEqual(expected), { timeout: 30_000, interval: 50 })

  await publishRecordImage(repository, [{ path: 'usr/bin/app' }], { tag: 'record-1-x' })
  const layers = [{ tar: buildTar(file('usr/bin/app', 'app')) }]
  await pushImage(repository, { layers }, '1')
  await until(['team/app:1-esgz succeeded'])
  // The same push again, and another tag, whose conversion shows that the earlier pushes were handled.
  await pushImage(repository, { layers }, '1')
  await pushImage(repository, { layers }, '2')
  await until(['team/app:1-esgz succeeded', 'team/app:2-esgz succeeded'])
})
