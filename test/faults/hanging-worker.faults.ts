import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** Makes conversions slow enough to stop their worker. */
const SLOW_READS = new URL('./poison.ts', import.meta.url).href

type Job = { id: string; state: string; attempts: { outcome?: string }[] }

it('replaces a worker that hangs, and completes its job with the next worker', async () => {
  await using folder = await temporaryFolder()
  await using broker = await BrokerProcess.start(folder.path, { NODE_OPTIONS: `--import ${SLOW_READS}` })
  const { host } = broker
  await using registries = new RegistryClient({ allowedHosts: (one) => one === host, plainHttp: [host] })
  await pushImage(
    registries.repository({ host, repository: 'app' }),
    { layers: [{ tar: buildTar(file('a')) }] },
    '1',
  )
  const getJob = () => broker.request<Job>('GET', path)
  const conversion = { source: `${host}/app:1`, target: `${host}/app:1-esgz` }
  const path = `/v1/conversions/${(await broker.request<Job>('POST', '/v1/conversions', conversion)).id}`
  while ((await getJob()).state === 'queued') await delay(20)
  const stopped = broker.workerPid ?? 0
  process.kill(stopped, 'SIGSTOP')
  while ((await getJob()).state !== 'succeeded') await delay(200)
  expect(broker.workerPid).not.toBe(stopped)
  expect((await getJob()).attempts.map(({ outcome }) => outcome)).toEqual(['crashed', 'succeeded'])
})
