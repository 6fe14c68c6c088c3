import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { ConversionBench } from '../../../test/support/conversion-bench.ts'
import { temporarySqlite } from '../../../test/support/databases.ts'
import { buildTar, dir, file } from '../../../test/support/images/build-tar.ts'
import { pushImage, pushIndex } from '../../../test/support/images/push-image.ts'
import { CacheAdministration, type ProjectCache } from '../../cache/cache-administration.ts'
import { DatabaseCache } from '../../cache/database-cache.ts'
import type { Database } from '../../db/database.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import type { ConversionReport } from '../report.ts'
import type { ConversionRequest } from '../request.ts'
import { runConversion } from '../run.ts'
import type { ConversionServices } from '../services.ts'

const base = buildTar(dir('usr'), file('usr/a', 'a'.repeat(5000)), file('usr/large', randomBytes(100_000)))
const top = buildTar(dir('etc'), file('etc/conf', 'conf'), file('etc/other', 'other'))

let bench: ConversionBench
let database: Database
let close: () => Promise<void>
let services: ConversionServices
/** Services for conversions that must not read layers: their threads reject every task. */
let withoutThreads: ConversionServices
let overviews: ProjectCache
let host: string
beforeAll(async () => {
  bench = await ConversionBench.open()
  host = bench.host
  ;({ database, close } = await temporarySqlite())
  overviews = new CacheAdministration(database).in(ProjectScope.ALL)
  const cache = new DatabaseCache(database, { layers: 100, images: 100 }).in(ProjectScope.ALL)
  services = { ...bench.services, cache }
  const threads = { run: () => Promise.reject(new Error('a layer is read')) }
  withoutThreads = { ...services, threads: threads as unknown as ConversionServices['threads'] }
  await pushImage(bench.repository('app'), { layers: [{ tar: base }, { tar: top }] }, '1')
})
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
  await close()
})
beforeEach(async () => {
  await overviews.purge({})
  await database.query.deleteFrom('cache_uses').execute()
})

const signal = new AbortController().signal
type RequestFields = Partial<Omit<ConversionRequest, 'target'>>

function convert(
  target: string,
  fields: RequestFields = {},
  conversionServices = services,
): Promise<ConversionReport> {
  return runConversion(
    { source: `${host}/app:1`, target: `${host}/${target}`, ...fields },
    conversionServices,
    { signal },
  )
}
const convertFromCache = (target: string, fields: RequestFields = {}) =>
  convert(target, fields, withoutThreads)
const record = (...paths: string[]) => ({ inline: paths.map((path) => ({ path })) })
const tagOf = async (repository: string, tag: string) =>
  (await bench.repository(repository).resolve(tag))?.digest

it('moves the tag to the result of the same conversion, with the same report', async () => {
  const request = { record: record('etc/conf', 'missing') }
  const first = await convert('app:first', request)
  const second = await convertFromCache('app:second', request)
  const { durationMs: _, target: __, ...common } = first
  expect(second).toMatchObject({
    ...common,
    reused: true,
    target: `${host}/app:second`,
    images: [
      {
        ...common.images[0],
        layers: common.images[0]?.layers.map((layer) => ({ ...layer, action: 'reused' })),
      },
    ],
  })
  expect(await tagOf('app', 'second')).toBe(first.digest)
  expect(await convertFromCache('app:second', request)).toMatchObject({ reused: true })
})

it('mounts a complete image into another repository of the registry', async () => {
  const first = await convert('app:over', { record: record('usr/a') })
  const second = await convertFromCache('other/app:over', { record: record('usr/a') })
  expect(second.digest).toBe(first.digest)
  expect(await bench.verify({ reference: second.target, source: second.source })).toMatchObject({
    verified: true,
  })
})

it('converts again if source, record or options differ', async () => {
  await convert('app:one', { record: record('usr/a') })
  await pushImage(bench.repository('app'), { layers: [{ tar: top }, { tar: base }] }, '2')
  for (const fields of [
    {},
    { record: record('usr/large') },
    { record: record('usr/a'), options: { compressionLevel: 1 } },
    { record: record('usr/a'), source: `${host}/app:2` },
  ]) {
    expect((await convert('app:differs', { ...fields, overwrite: true })).reused).toBeUndefined()
  }
})

it('does not move a tag of another image without overwrite', async () => {
  await convert('app:mine')
  await pushImage(bench.repository('app'), { layers: [{ tar: top }] }, 'existing')
  await expect(convertFromCache('app:existing')).rejects.toMatchObject({ code: 'TARGET_EXISTS' })
  expect(await convertFromCache('app:existing', { overwrite: true })).toMatchObject({ reused: true })
})

it('mounts all platforms of an index, with attestations that are kept', async () => {
  const repository = bench.repository('many')
  const amd = await pushImage(repository, { layers: [{ tar: base }] })
  const arm = await pushImage(repository, { layers: [{ tar: top }], architecture: 'arm64' })
  const attestation = await pushImage(repository, { layers: [{ tar: buildTar(file('about', 'it')) }] })
  await pushIndex(
    repository,
    [
      { ...amd, platform: { os: 'linux', architecture: 'amd64' } },
      { ...arm, platform: { os: 'linux', architecture: 'arm64' } },
      {
        ...attestation,
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: {
          'vnd.docker.reference.type': 'attestation-manifest',
          'vnd.docker.reference.digest': amd.digest,
        },
      },
    ],
    'all',
  )
  const request = { source: `${host}/many:all`, options: { attestations: 'keep' as const } }
  const first = await convert('many:esgz', request)
  const second = await convertFromCache('elsewhere:esgz', request)
  expect(second).toMatchObject({ digest: first.digest, kept: first.kept, reused: true })
  expect(second.images).toHaveLength(2)
  expect(await bench.repository('elsewhere').resolve(attestation.digest)).toBeDefined()
  expect(await bench.verify({ reference: second.target, source: second.source })).toMatchObject({
    verified: true,
  })
})

it('mounts the image of external tables of contents, and moves its tag', async () => {
  const options = { externalToc: true }
  const first = await convert('app:outside', { options })
  const second = await convertFromCache('far/app:outside', { options })
  expect(second.tocImage).toEqual({ ...first.tocImage, reference: `${host}/far/app:outside-esgztoc` })
  expect(await tagOf('far/app', 'outside-esgztoc')).toBe(first.tocImage?.digest)
  expect(await bench.verify({ reference: second.target, source: second.source })).toMatchObject({
    verified: true,
  })
})

it('attaches the record to the result in its new repository', async () => {
  const request = { record: record('usr/a'), options: { attachRecord: true } }
  const first = await convert('app:attached', request)
  const second = await convertFromCache('near/app:attached', request)
  expect(second.attached).toMatchObject([{ subject: first.digest }])
  expect(await bench.repository('near/app').listReferrers(first.digest)).toHaveLength(1)
})

it('removes images that the registry no longer has from the cache, and converts them again', async () => {
  const repository = 'purged/app'
  const { digest, images } = await convert(`${repository}:1`)
  await bench.repository(repository).deleteManifest(digest)
  expect((await convert(`${repository}:2`)).reused).toBeUndefined()
  expect(await convertFromCache(`${repository}:3`)).toMatchObject({ reused: true, digest })

  const layer = images[0]?.layers[0]?.digest
  await fetch(`http://${host}/v2/${repository}/blobs/${layer}`, { method: 'DELETE' })
  const repaired = await convert(`${repository}:4`)
  expect(repaired.reused).toBeUndefined()
  expect(repaired.images[0]?.layers.map(({ action }) => action)).toEqual(['streamed', 'reused'])
  expect(await bench.verify({ reference: `${host}/${repository}:3` })).toMatchObject({ verified: true })
  const { uses } = await overviews.readOverview(1)
  expect(uses).toContainEqual({ kind: 'image', outcome: 'gone', count: 2, bytes: 0 })
  expect(uses).toContainEqual({ kind: 'layer', outcome: 'gone', count: 1, bytes: 0 })
})

it('does not reuse a report that it cannot parse', async () => {
  const { digest } = await convert('app:old')
  await database.query.updateTable('converted_images').set({ report: '{"of":"long ago"}' }).execute()
  expect(await convert('app:new')).toMatchObject({ digest })
  expect(await convertFromCache('app:newer')).toMatchObject({ digest, reused: true })
})

it('counts cache uses by outcome', async () => {
  const first = await convert('app:counted')
  await convertFromCache('app:counted-again')
  await convert('app:counted-other', { record: record('usr/a') })
  const bytes = (i: number, report: ConversionReport) => report.images[0]?.layers[i]?.size ?? 0
  const { uses, layers, images } = await overviews.readOverview(1)
  expect(uses).toContainEqual({ kind: 'image', outcome: 'reused', count: 1, bytes: first.size })
  expect(uses).toContainEqual(expect.objectContaining({ kind: 'image', outcome: 'made', count: 2 }))
  expect(uses).toContainEqual({ kind: 'layer', outcome: 'made', count: 2, bytes: first.size })
  expect(uses).toContainEqual({ kind: 'layer', outcome: 'reused', count: 1, bytes: bytes(1, first) })
  expect(uses).toContainEqual(expect.objectContaining({ kind: 'layer', outcome: 'rearranged', count: 1 }))
  expect(layers.entryCount).toBe(3)
  expect(images.entryCount).toBe(2)
})
