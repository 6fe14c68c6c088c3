import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion-bench.ts'
import { temporarySqlite } from '../../test/support/databases.ts'
import { buildTar, dir, file } from '../../test/support/images/build-tar.ts'
import { pushImage } from '../../test/support/images/push-image.ts'
import { HttpServer } from '../../test/support/servers/http-server.ts'
import { CacheAdministration } from '../cache/cache-administration.ts'
import { DatabaseCache } from '../cache/database-cache.ts'
import type { Database } from '../db/database.ts'
import { ProjectScope } from '../db/project-scope.ts'
import { digestOf } from '../oci/digest.ts'
import { RegistryClient } from '../registry/client.ts'
import type { ConversionCache } from './reuse/conversion-cache.ts'
import type { CachedLayer, LayerCache } from './reuse/layer-cache.ts'
import { runConversion } from './run.ts'
import type { ConversionServices } from './services.ts'

const base = buildTar(
  dir('usr'),
  ...Array.from({ length: 50 }, (_, i) => file(`usr/file-${i}`, `${i} `.repeat(i * 40))),
  file('usr/large', randomBytes(5 << 20)),
)
const top = buildTar(dir('etc'), file('etc/conf', 'conf'), file('etc/other', 'other'))

let bench: ConversionBench
let database: Database
let close: () => Promise<void>
let services: ConversionServices
let cache: ConversionCache
let host: string
beforeAll(async () => {
  bench = await ConversionBench.open()
  host = bench.host
  ;({ database, close } = await temporarySqlite())
  cache = new DatabaseCache(database, { layers: 100, images: 100 }).in(ProjectScope.ALL)
  services = { ...bench.services, cache }
  await pushImage(bench.repository('app'), { layers: [{ tar: base }, { tar: top }] }, '1')
})
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
  await close()
})

const signal = new AbortController().signal
const purgeCache = () => new CacheAdministration(database).in(ProjectScope.ALL).purge({})
const purgeImages = () => database.query.deleteFrom('converted_images').execute()
const record = (...paths: string[]) => ({ inline: paths.map((path) => ({ path })) })
const convert = (target: string, ...paths: string[]) =>
  runConversion(
    { source: `${host}/app:1`, target: `${host}/${target}`, record: record(...paths) },
    services,
    { signal },
  )
const actions = (report: Awaited<ReturnType<typeof convert>>) =>
  report.images[0]?.layers.map((layer) => layer.action)

it('reuses cached layers, and rearranges those with another order', async () => {
  const first = await convert('app:first', 'usr/file-7', 'usr/large')
  expect(actions(first)).toEqual(['arranged', 'arranged'])

  await purgeImages()
  const again = await convert('other/app:again', 'usr/file-7', 'usr/large')
  expect(actions(again)).toEqual(['reused', 'reused'])
  expect(again.digest).toBe(first.digest)

  const other = await convert('app:other', 'usr/file-9', 'usr/file-7', 'usr/file-33')
  expect(actions(other)).toEqual(['rearranged', 'reused'])
  const anew = await bench.convert({
    source: `${host}/app:1`,
    target: `${host}/anew:1`,
    record: record('usr/file-9', 'usr/file-7', 'usr/file-33'),
  })
  expect(actions(anew)).toEqual(['arranged', 'arranged'])
  expect(other.digest).toBe(anew.digest)
  // The estimate for a start without the record does not depend on the cached order.
  const startEstimate = ({ images }: typeof anew) => images[0]?.record?.start.withoutRecord
  expect(startEstimate(other)?.requestCount).toBe(startEstimate(anew)?.requestCount)
  expect(startEstimate(again)?.requestCount).toBe(startEstimate(first)?.requestCount)
  for (const reference of [again.target, other.target]) {
    expect(await bench.verify({ reference, source: `${host}/app:1` })).toMatchObject({ verified: true })
  }
})

it('rearranges a layer that was streamed, to the same digest', async () => {
  await purgeCache()
  const streamed = await runConversion({ source: `${host}/app:1`, target: `${host}/streamed:1` }, services, {
    signal,
  })
  expect(actions(streamed)).toEqual(['streamed', 'streamed'])
  const arranged = await convert('streamed:2', 'usr/file-3')
  expect(actions(arranged)).toEqual(['rearranged', 'reused'])
  const without = await bench.convert({
    source: `${host}/app:1`,
    target: `${host}/streamed:3`,
    record: record('usr/file-3'),
  })
  expect(arranged.digest).toBe(without.digest)
})

it('does not reuse layers that the registry no longer has', async () => {
  await purgeCache()
  const real = cache.layers
  const missingDigest = digestOf('a blob that was garbage-collected')
  const withMissingBlob = (cached: CachedLayer) => ({
    ...cached,
    layer: { ...cached.layer, digest: missingDigest },
  })
  const forgotten: string[] = []
  const stale: LayerCache = {
    find: async (key) => {
      const cached = await real.find(key)
      return cached && withMissingBlob(cached)
    },
    findAny: (key) => real.findAny(key),
    findWithIndex: async (key) => {
      const cached = await real.findWithIndex(key)
      return cached && { ...withMissingBlob(cached), index: cached.index }
    },
    hasForeign: async () => false,
    foreign: (sharing) => real.foreign(sharing),
    put: (key, cached, index) => real.put(key, cached, index),
    remove: async (key) => void forgotten.push(key.exact),
  }
  const first = await convert('stale:1', 'usr/file-4')
  await purgeImages()
  const second = await runConversion(
    { source: `${host}/app:1`, target: `${host}/stale:2`, record: record('usr/file-4') },
    { ...services, cache: { layers: stale, images: cache.images, countUses: async () => {} } },
    { signal },
  )
  expect(new Set(forgotten).size).toBe(2)
  expect(actions(second)).toEqual(['arranged', 'arranged'])
  expect(second.digest).toBe(first.digest)
})

it('reads the source again if another version encoded the cached index', async () => {
  await database.query.deleteFrom('converted_layers').execute()
  await convert('older:1', 'usr/file-4')
  const older = gzipSync(JSON.stringify({ version: 1, entries: [], headers: [] }))
  await database.query.updateTable('converted_layer_indexes').set({ bytes: older }).execute()
  const report = await convert('older:2', 'usr/file-5', 'etc/other')
  expect(actions(report)).toEqual(['arranged', 'arranged'])
})

it('converts layers once for concurrent conversions', async () => {
  await purgeCache()
  let put = 0
  const real = cache.layers
  const counting: LayerCache = {
    find: (key) => real.find(key),
    findAny: (key) => real.findAny(key),
    findWithIndex: (key) => real.findWithIndex(key),
    hasForeign: async () => false,
    foreign: (sharing) => real.foreign(sharing),
    put: (key, cached, index) => {
      put++
      return real.put(key, cached, index)
    },
    remove: (key) => real.remove(key),
  }
  const reports = await Promise.all(
    ['a', 'b', 'c'].map((tag) =>
      runConversion(
        { source: `${host}/app:1`, target: `${host}/once:${tag}` },
        { ...services, cache: { layers: counting, images: cache.images, countUses: async () => {} } },
        { signal },
      ),
    ),
  )
  expect(new Set(reports.map(({ digest }) => digest)).size).toBe(1)
  expect(put).toBe(2)
})

it('continues if the conversion that it waits for is aborted', async () => {
  await purgeCache()
  const stop = new AbortController()
  const request = { source: `${host}/app:1`, target: `${host}/stopped:1` }
  const aborted = runConversion(request, services, {
    signal: stop.signal,
    onProgress: ({ layers }) => {
      if (layers.some(({ read }) => read > 0)) stop.abort(new Error('stopped by the test'))
    },
  })
  const other = runConversion({ ...request, target: `${host}/stopped:2` }, services, { signal })
  await expect(aborted).rejects.toThrow('stopped by the test')
  const report = await other
  expect(await bench.verify({ reference: report.target, source: report.source })).toMatchObject({
    verified: true,
  })
  expect(bench.listScratchFiles()).toEqual([])
})

it('rejects a layer whose descriptor has a wrong size, cached or not', async () => {
  const { bytes } = await bench.repository('app').getManifest('1')
  const manifest = JSON.parse(bytes.toString()) as { layers: { size: number }[]; mediaType: string }
  for (const layer of manifest.layers) layer.size += 1
  const wrongSizes = Buffer.from(JSON.stringify(manifest))
  await using proxy = await HttpServer.start(({ path, method }, response) => {
    if (path.includes('/manifests/')) {
      const headers = { 'content-type': manifest.mediaType, 'docker-content-digest': digestOf(wrongSizes) }
      response.writeHead(200, headers).end(method === 'HEAD' ? undefined : wrongSizes)
    } else response.writeHead(307, { location: `http://${host}${path}` }).end()
  })
  const plainHttp = [host, proxy.host]
  await using registries = new RegistryClient({ allowedHosts: () => true, plainHttp })
  await convert('app:honest')
  for (const cached of [cache, undefined]) {
    for (const fields of [{}, { record: record('usr/file-7') }]) {
      const request = { source: `${proxy.host}/app:wrong-sizes`, target: `${host}/app:never`, ...fields }
      const otherServices = { ...services, cache: cached, registries }
      await expect(runConversion(request, otherServices, { signal })).rejects.toMatchObject({
        code: 'SIZE_MISMATCH',
      })
    }
  }
})
