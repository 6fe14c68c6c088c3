import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { pushImage } from '../support/images/push-image.ts'
import { file, buildTar } from '../support/images/build-tar.ts'

const SLOW = new URL('./poison.ts', import.meta.url).href

type Shown = { id: string; state: string; attempts: { outcome?: string }[] }

it('a worker that stands still is replaced, and its job is done by the next one', async () => {
  await using folder = await temporaryFolder()
  await using broker = await BrokerProcess.start(folder.path, { NODE_OPTIONS: `--import ${SLOW}` })
  const { host } = broker
  await using registries = new RegistryClient({ allowedHosts: (one) => one === host, plainHttp: [host] })
  await pushImage(
    registries.repository({ host, repository: 'app' }),
    { layers: [{ tar: buildTar(file('a')) }] },
    '1',
  )
  const shown = () => broker.request<Shown>('GET', path)
  const conversion = { source: `${host}/app:1`, target: `${host}/app:1-esgz` }
  const path = `/v1/conversions/${(await broker.request<Shown>('POST', '/v1/conversions', conversion)).id}`
  while ((await shown()).state === 'queued') await delay(20)
  const stopped = broker.workerPid ?? 0
  process.kill(stopped, 'SIGSTOP')
  while ((await shown()).state !== 'succeeded') await delay(200)
  expect(broker.workerPid).not.toBe(stopped)
  expect((await shown()).attempts.map(({ outcome }) => outcome)).toEqual(['crashed', 'succeeded'])
})
