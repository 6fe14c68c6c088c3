import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { RegistryClient } from '../../src/registry/client.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { buildTar, file } from '../support/images/build-tar.ts'
import { pushImage } from '../support/images/push-image.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const POISON = new URL('./poison.ts', import.meta.url).href

type Job = {
  id: string
  state: string
  attempts: { outcome?: string }[]
  error?: { code: string }
}

it('fails a job that kills its workers, and completes the other jobs of these workers', async () => {
  await using folder = await temporaryFolder()
  await using broker = await BrokerProcess.start(folder.path, { NODE_OPTIONS: `--import ${POISON}` })
  const { host } = broker
  await using registries = new RegistryClient({ allowedHosts: (one) => one === host, plainHttp: [host] })
  const names = ['poison', 'one', 'two', 'three']
  for (const repository of names) {
    const layers = [{ tar: buildTar(file('a', repository)) }]
    await pushImage(registries.repository({ host, repository }), { layers }, '1')
  }
  const conversions = names.map((name) => ({
    source: `${host}/${name}:1`,
    target: `${host}/${name}:1-esgz`,
  }))
  const batch = await broker.request<{ id: string }>('POST', '/v1/conversion-batches', { conversions })
  const path = `/v1/conversion-batches/${batch.id}`
  for (;;) {
    const { counts } = await broker.request<{ counts: { queued: number; running: number } }>('GET', path)
    if (counts.queued + counts.running === 0) break
    await delay(100)
  }
  const { items } = await broker.request<{ items: Job[] }>('GET', `${path}/conversions`)
  const [poison, ...others] = await Promise.all(
    items.map(({ id }) => broker.request<Job>('GET', `/v1/conversions/${id}`)),
  )
  expect(poison).toMatchObject({ state: 'failed', error: { code: 'WORKER_DIED' } })
  // At the first crash, all jobs were running. Then the job runs alone.
  expect(poison?.attempts.map(({ outcome }) => outcome)).toEqual(['crashed', 'crashed', 'crashed', 'crashed'])
  for (const other of others) {
    expect(other.state).toBe('succeeded')
    expect(other.attempts.map(({ outcome }) => outcome)).toEqual(['crashed', 'succeeded'])
  }
})
