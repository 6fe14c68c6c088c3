import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion-bench.ts'
import { temporarySqlite } from '../../test/support/databases.ts'
import { buildTar, dir, file, symlink } from '../../test/support/images/build-tar.ts'
import { pushImage } from '../../test/support/images/push-image.ts'
import { DatabaseCache } from '../cache/database-cache.ts'
import type { Database } from '../db/database.ts'
import { ProjectScope } from '../db/project-scope.ts'
import { ThreadPool } from './layers/thread-pool.ts'
import type { ConversionOptions } from './request.ts'
import type { ConversionCache } from './reuse/conversion-cache.ts'
import { runConversion } from './run.ts'

/** The layers of the image, lowest first. */
const layers = [
  buildTar(
    dir('./', { mode: 0o711 }),
    dir('tmp', { mode: 0o1777 }),
    dir('data', { mode: 0o700, uid: 1000 }),
    dir('old', { uid: 5 }),
  ),
  buildTar(),
  buildTar(file('tmp/x', '1'), file('data/y', '2', { uid: 1000 }), file('new/deep/z', '3'), file('.wh.old')),
  buildTar(symlink('lib', 'usr/lib'), file('old/again', '4'), file('tmp/.wh.x')),
  buildTar(file('lib/a/b', '5'), file('tmp/deeper/w', '6')),
  buildTar(),
]
const signal = new AbortController().signal
const records = [undefined, { inline: [{ path: 'tmp/deeper/w' }, { path: 'data/y' }] }]
const OPTIONS: Record<string, ConversionOptions> = {
  eStargz: {},
  'shared members': { minChunkSize: 100 },
  'an external table of contents': { externalToc: true },
  'zstd:chunked': { format: 'zstd-chunked' },
}

let bench: ConversionBench
let cache: ConversionCache
let database: Database
let close: () => Promise<void>
let targets = 0
beforeAll(async () => {
  bench = await ConversionBench.open()
  const opened = await temporarySqlite()
  database = opened.database
  cache = new DatabaseCache(opened.database, { layers: 100, images: 100 }).in(ProjectScope.ALL)
  close = opened.close
  await pushImage(bench.repository('app'), { layers: layers.map((tar) => ({ tar })) }, '1')
  // The same layers above another lowest layer.
  const otherBase = buildTar(dir('./', { mode: 0o700 }), dir('tmp', { mode: 0o1770, gid: 7 }))
  await pushImage(
    bench.repository('app'),
    { layers: [otherBase, ...layers.slice(1)].map((tar) => ({ tar })) },
    '2',
  )
})
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
  await close()
})

type ConvertOptions = {
  source?: string
  record?: (typeof records)[number]
  options?: ConversionOptions
  /** Whether the conversion uses the layer cache. */
  cached?: boolean
}

const verified = new Set<string>()

async function convert(
  threads: ThreadPool,
  { source = '1', record, options, cached = false }: ConvertOptions,
) {
  const target = `${bench.host}/app:t${targets++}`
  const services = {
    ...bench.services,
    threads,
    ...(cached && { cache: { layers: cache.layers, images: emptyImageCache, countUses: async () => {} } }),
  }
  const request = {
    source: `${bench.host}/app:${source}`,
    target,
    ...(record && { record }),
    ...(options && { options }),
  }
  const report = await runConversion(request, services, { signal })
  // Equal digests need no second verification.
  if (!verified.has(report.digest)) {
    const { verified: isVerified } = await bench.verify({ reference: target, source: request.source })
    expect(isVerified).toBe(true)
    verified.add(report.digest)
  }
  return { digest: report.digest, actions: report.images[0]?.layers.map(({ action }) => action) }
}

/** Without cached images, every conversion looks up its layers. */
const emptyImageCache = { find: async () => undefined, put: async () => {}, remove: async () => {} }

for (const [name, options] of Object.entries(OPTIONS)) {
  it.each(records)(
    `converts to ${name} so that a lazy reader sees the same as a pull, for any number of threads, with and without cache`,
    async (record) => {
      const digests = new Map<string, Set<string>>()
      for (const source of ['1', '2']) digests.set(source, new Set())
      for (const size of name === 'eStargz' ? [1, 2, 4] : [1, 4]) {
        await using threads = new ThreadPool(size)
        for (const source of ['1', '2']) {
          const { digest } = await convert(threads, { source, record, options })
          digests.get(source)?.add(digest)
        }
      }
      await using threads = new ThreadPool(1)
      for (const source of ['1', '2', '1', '2']) {
        const { digest } = await convert(threads, { source, record, options, cached: true })
        digests.get(source)?.add(digest)
      }
      const again = await convert(threads, { source: '1', record, options, cached: true })
      expect(new Set(again.actions)).toEqual(new Set(['reused', 'duplicate']))
      expect([...digests.values()].map(({ size }) => size)).toEqual([1, 1])
      expect(digests.get('1')).not.toEqual(digests.get('2'))
    },
  )
}

it('adds directories to the table of contents alone if the archive must stay unchanged', async () => {
  await using threads = new ThreadPool(1)
  const options = { externalToc: true, keepDiffId: true }
  const { digest } = await convert(threads, { options })
  const cached = await convert(threads, { options, cached: true })
  const again = await convert(threads, { options, cached: true })
  expect([cached.digest, again.digest]).toEqual([digest, digest])
  expect(again.actions).not.toContain('streamed')
})

it('reads a lower layer again if its index is missing from the cache', async () => {
  const above = buildTar(file('data/above', 'x'), file('tmp/above', 'y'))
  const [base = above] = layers
  await pushImage(bench.repository('app'), { layers: [{ tar: base }] }, 'below')
  await pushImage(bench.repository('app'), { layers: [{ tar: base }, { tar: above }] }, 'above')
  await using threads = new ThreadPool(1)
  const { digest } = await convert(threads, { source: 'above' })
  await convert(threads, { source: 'below', cached: true })
  await database.query.deleteFrom('converted_layer_indexes').execute()
  const cached = await convert(threads, { source: 'above', cached: true })
  expect(cached).toEqual({ digest, actions: ['reused', 'streamed'] })
})

it('aborts the layers that wait for a damaged lower layer', async () => {
  const broken = (tar: Buffer) => gzipSync(tar).subarray(0, -20)
  const [base, , above] = layers
  if (!base || !above) throw new Error('the test needs three layers')
  await pushImage(
    bench.repository('app'),
    { layers: [{ tar: base, compress: broken }, { tar: above }] },
    'broken',
  )
  await using threads = new ThreadPool(2)
  await expect(convert(threads, { source: 'broken' })).rejects.toMatchObject({
    cause: { code: 'CORRUPT_GZIP' },
  })
  expect(bench.listScratchFiles()).toEqual([])
  await convert(threads, { source: '1' })
})
