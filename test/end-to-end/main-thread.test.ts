import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { manyGlobs } from '../../bench/hostile/globs.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import type { Repository } from '../../src/registry/repository.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import * as images from '../support/images/hostile-images.ts'

/** Of processor time, for everything between two looks of the event loop. */
const BOUND_MS = 50
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

/** The longest turn of the server's main thread since this was asked last, in milliseconds of processor time. */
async function longestTurn(): Promise<number> {
  const line = broker.nextLogLine('longest turn')
  process.kill(broker.pid ?? 0, 'SIGWINCH')
  return Number((await line).ms)
}

async function pushed(push: (repository: Repository) => Promise<void>, name: string): Promise<string> {
  await push(registries.repository({ host: broker.host, repository: name }))
  return `${broker.host}/${name}:${TAG}`
}

const many = (first: number, count: number) =>
  Array.from({ length: count }, (_, n) => `/usr/lib/x/file-${first + n}\n`).join('')
async function upload(text: string): Promise<string> {
  return (await broker.request<{ id: string }>('POST', '/v1/records', text)).id
}

describe('the main thread does not stand still', () => {
  const isBusyWith = async (act: () => Promise<unknown>): Promise<unknown> => {
    await longestTurn()
    const answer = await act()
    expect(await longestTurn()).toBeLessThan(BOUND_MS)
    return answer
  }

  it.each([
    [50_000, undefined],
    [1_000_000, 'LIMIT_EXCEEDED'],
  ])('for a table of contents of %d entries', async (entries, code) => {
    const image = await pushed((one) => images.pushTocBomb(one, TAG, entries), `toc-${entries}`)
    const answer = await isBusyWith(() => broker.request('GET', `/v1/images/${image}`))
    expect((answer as { code?: string }).code).toBe(code)
  })

  it('for 1,000 globs in 20,000 files', async () => {
    const image = await pushed((one) => images.pushFiles(one, TAG, 20_000), 'files')
    const record = await upload(await manyGlobs())
    const answer = await isBusyWith(() => broker.request('POST', `/v1/records/${record}/evaluations`, { image }))
    expect(answer).toMatchObject({ images: [expect.anything()] })
  })

  it('for large records: uploads, merges, differences and listings', async () => {
    const [a, b] = (await isBusyWith(async () => [
      await upload(many(0, 200_000)),
      await upload(many(100_000, 200_000)),
    ])) as [string, string]
    const merged = await isBusyWith(() =>
      broker.request('POST', '/v1/records/merges', { records: [a, b], strategy: 'union' }),
    )
    expect(merged).toMatchObject({ entries: 300_000 })
    const compared = await isBusyWith(() => broker.request('GET', `/v1/records/${a}/diff/${b}?limit=10000`))
    expect((compared as { same: boolean }).same).toBe(false)
    await isBusyWith(() => fetch(`${broker.url}/v1/records/${a}/content`).then((one) => one.text()))
  })

  it('for manifests and configs that are made to cost much', async () => {
    const layers = await pushed((one) => images.pushManyLayers(one, TAG, 10_000), 'layers')
    const deep = await pushed((one) => images.pushDeepConfig(one, TAG), 'deep')
    for (const image of [layers, deep]) {
      const answer = await isBusyWith(() => broker.request('GET', `/v1/images/${image}`))
      expect(answer).toMatchObject({ status: 422, code: 'LIMIT_EXCEEDED' })
    }
  })

  it('for pushes of many images that many rules are held against, and for globs that are made to cost much', async () => {
    const target = '{host}/{repository}:{tag}-esgz'
    const hostile = (end: string) => `${'*a'.repeat(140)}${end}`
    const rules = [
      ...Array.from({ length: 50 }, (_, n) => ({ source: 'r.test/team/**', tags: [`v${n}-*`], target })),
      {
        source: `${'**/'.repeat(90)}*a*`,
        tags: Array.from({ length: 50 }, (_, n) => hostile(`b${n}`)),
        target,
      },
    ]
    for (const rule of rules) await broker.request('POST', '/v1/rules', { name: 'r', ...rule })
    const push = async (images: string[]) => {
      const resources = images.map((resource_url) => ({ resource_url }))
      const answer = await isBusyWith(() =>
        broker.request('POST', '/v1/hooks/harbor', { type: 'PUSH_ARTIFACT', event_data: { resources } }),
      )
      const { items } = answer as { items: { ignored?: string }[] }
      expect(items).toHaveLength(images.length)
      for (const { ignored } of items) expect(ignored).toBe('no rule matches it')
    }
    await push(Array.from({ length: 1000 }, (_, n) => `r.test/team/b-${n}:latest-${n}`))
    const tag = (n: number) => n.toString(2).replaceAll('0', 'a').replaceAll('1', 'aa').padStart(120, 'a')
    await push(Array.from({ length: 20 }, (_, n) => `r.test/team/app:${tag(n)}`))
    await isBusyWith(() => fetch(`${broker.url}/v1/rules`).then((one) => one.text()))
  })
})
