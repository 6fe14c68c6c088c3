import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { manyGlobs } from '../../bench/hostile/globs.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import type { Repository } from '../../src/registry/repository.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import * as images from '../support/images/hostile-images.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** The maximum CPU time of an event loop iteration. */
const MAX_ITERATION_MS = 50
const TAG = 'a'

const stack = new AsyncDisposableStack()
let broker: BrokerProcess
let registries: RegistryClient

beforeAll(async () => {
  const folder = stack.use(await temporaryFolder())
  const preload = new URL('../support/children/event-loop-monitor.ts', import.meta.url)
  broker = stack.use(await BrokerProcess.start(folder.path, { NODE_OPTIONS: `--import ${preload}` }))
  registries = stack.use(
    new RegistryClient({ allowedHosts: (host) => host === broker.host, plainHttp: [broker.host] }),
  )
})
afterAll(() => stack.disposeAsync())

/**
 * Returns the longest event loop iteration of the server's main thread since the last call, in ms of CPU
 * time.
 */
async function readLongestIteration(): Promise<number> {
  const line = broker.nextLogLine('longest iteration')
  process.kill(broker.pid ?? 0, 'SIGWINCH')
  return Number((await line).ms)
}

async function pushImage(push: (repository: Repository) => Promise<void>, name: string): Promise<string> {
  await push(registries.repository({ host: broker.host, repository: name }))
  return `${broker.host}/${name}:${TAG}`
}

const createRecord = (first: number, count: number) =>
  Array.from({ length: count }, (_, n) => `/usr/lib/x/file-${first + n}\n`).join('')
async function uploadRecord(text: string): Promise<string> {
  return (await broker.request<{ id: string }>('POST', '/v1/records', text)).id
}

describe('the main thread stays responsive', () => {
  /** Runs an action, and expects that no event loop iteration is too long meanwhile. */
  const expectResponsive = async (action: () => Promise<unknown>): Promise<unknown> => {
    await readLongestIteration()
    const result = await action()
    expect(await readLongestIteration()).toBeLessThan(MAX_ITERATION_MS)
    return result
  }

  it.each([
    [50_000, undefined],
    [1_000_000, 'LIMIT_EXCEEDED'],
  ])('for a table of contents of %d entries', async (entries, code) => {
    const image = await pushImage(
      (repository) => images.pushTocBomb(repository, TAG, entries),
      `toc-${entries}`,
    )
    const response = await expectResponsive(() => broker.request('GET', `/v1/images/${image}`))
    expect((response as { code?: string }).code).toBe(code)
  })

  it('for 1,000 globs in 20,000 files', async () => {
    const image = await pushImage((repository) => images.pushFiles(repository, TAG, 20_000), 'files')
    const record = await uploadRecord(await manyGlobs())
    const evaluation = await expectResponsive(() =>
      broker.request('POST', `/v1/records/${record}/evaluations`, { image }),
    )
    expect(evaluation).toMatchObject({ images: [expect.anything()] })
  })

  it('for large records: uploads, merges, differences and listings', async () => {
    const [a, b] = (await expectResponsive(async () => [
      await uploadRecord(createRecord(0, 200_000)),
      await uploadRecord(createRecord(100_000, 200_000)),
    ])) as [string, string]
    const merged = await expectResponsive(() =>
      broker.request('POST', '/v1/records/merges', { records: [a, b], strategy: 'union' }),
    )
    expect(merged).toMatchObject({ entryCount: 300_000 })
    const compared = await expectResponsive(() =>
      broker.request('GET', `/v1/records/${a}/diff/${b}?limit=10000`),
    )
    expect((compared as { same: boolean }).same).toBe(false)
    await expectResponsive(() =>
      fetch(`${broker.url}/v1/records/${a}/content`).then((response) => response.text()),
    )
  })

  it('for hostile manifests and configs', async () => {
    const layers = await pushImage((repository) => images.pushManyLayers(repository, TAG, 10_000), 'layers')
    const deep = await pushImage((repository) => images.pushDeepConfig(repository, TAG), 'deep')
    for (const image of [layers, deep]) {
      const response = await expectResponsive(() => broker.request('GET', `/v1/images/${image}`))
      expect(response).toMatchObject({ status: 422, code: 'LIMIT_EXCEEDED' })
    }
  })

  it('for pushes of many images, many rules, and rules with hostile globs', async () => {
    const target = '{host}/{repository}:{tag}-esgz'
    const createHostileGlob = (suffix: string) => `${'*a'.repeat(140)}${suffix}`
    const rules = [
      ...Array.from({ length: 50 }, (_, n) => ({ source: 'r.test/team/**', tags: [`v${n}-*`], target })),
      {
        source: `${'**/'.repeat(90)}*a*`,
        tags: Array.from({ length: 50 }, (_, n) => createHostileGlob(`b${n}`)),
        target,
      },
    ]
    for (const rule of rules) await broker.request('POST', '/v1/rules', { name: 'r', ...rule })
    const push = async (images: string[]) => {
      const resources = images.map((resource_url) => ({ resource_url }))
      const response = await expectResponsive(() =>
        broker.request('POST', '/v1/hooks/harbor', { type: 'PUSH_ARTIFACT', event_data: { resources } }),
      )
      const { items } = response as { items: { ignored?: string }[] }
      expect(items).toHaveLength(images.length)
      for (const { ignored } of items) expect(ignored).toBe('no rule matches it')
    }
    await push(Array.from({ length: 1000 }, (_, n) => `r.test/team/b-${n}:latest-${n}`))
    const tag = (n: number) => n.toString(2).replaceAll('0', 'a').replaceAll('1', 'aa').padStart(120, 'a')
    await push(Array.from({ length: 20 }, (_, n) => `r.test/team/app:${tag(n)}`))
    await expectResponsive(() => fetch(`${broker.url}/v1/rules`).then((response) => response.text()))
  })
})
