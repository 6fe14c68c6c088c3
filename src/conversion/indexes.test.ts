import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion-bench.ts'
import { buildTar, dir, file } from '../../test/support/images/build-tar.ts'
import { pushImage, pushIndex, type TestImage } from '../../test/support/images/push-image.ts'
import type { Digest } from '../oci/digest.ts'
import { digestOf } from '../oci/digest.ts'
import { type Descriptor, Index, Manifest, parseDocument } from '../oci/documents.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../oci/media-types.ts'
import { inspectImage } from './inspect.ts'
import { runConversion } from './run.ts'

const layers = [{ tar: buildTar(dir('usr'), file('usr/a', 'a'.repeat(5000))) }]
const otherLayers = [{ tar: buildTar(dir('etc'), file('etc/b', 'b')) }]
const WASM = { os: 'wasip1', architecture: 'wasm' }
const LINUX = { os: 'linux', architecture: 'amd64' }

let bench: ConversionBench
let host: string
beforeAll(async () => {
  bench = await ConversionBench.open()
  host = bench.host
})
afterAll(() => bench[Symbol.asyncDispose]())

const push = (name: string, image: Partial<TestImage>, platform: object | null = LINUX) =>
  pushImage(bench.repository(name), { layers, ...image }).then(
    ({ platform: _, ...descriptor }) => ({ ...descriptor, ...(platform && { platform }) }) as Descriptor,
  )
const pushWasm = (name: string) =>
  push(
    name,
    {
      layers: [
        {
          tar: Buffer.from('\0asm'),
          mediaType: 'application/vnd.wasm.content.layer.v1+wasm',
          compress: (bytes) => bytes,
        },
      ],
      configFields: WASM,
    },
    WASM,
  )

async function indexAt(name: string, reference: string) {
  const { bytes, descriptor } = await bench.repository(name).getManifest(reference)
  return { index: parseDocument(Index, bytes, reference), descriptor }
}

type RequestFields = Omit<Parameters<ConversionBench['convert']>[0], 'source' | 'target'>
const convert = (name: string, fields: RequestFields = {}, tag = 'esgz') =>
  bench.convert({ source: `${host}/${name}:a`, target: `${host}/${name}:${tag}`, ...fields })

describe('a platform that cannot be converted', () => {
  let linux: Descriptor
  let wasm: Descriptor
  beforeAll(async () => {
    linux = await push('wasm', {})
    wasm = await pushWasm('wasm')
    const about = {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': wasm.digest,
    }
    const unknown = { os: 'unknown', architecture: 'unknown' }
    const attestation = { ...(await push('wasm', { layers: otherLayers }, unknown)), annotations: about }
    await pushIndex(bench.repository('wasm'), [wasm, linux, attestation], 'a')
  })

  it('is dropped and reported, together with its attestation', async () => {
    const report = await convert('wasm')
    const { index } = await indexAt('wasm', 'esgz')
    expect(index.manifests.map(({ platform }) => platform)).toEqual([LINUX])
    expect(report.dropped).toEqual([
      { digest: wasm.digest, reason: expect.stringContaining('vnd.wasm') },
      { digest: expect.any(String), reason: expect.stringContaining('an attestation') },
    ])
    const inspection = await inspectImage(`${host}/wasm:a`, bench.services, new AbortController().signal)
    expect(inspection.images.map(({ platform }) => platform)).toEqual(['linux/amd64'])
    expect(inspection.others).toContainEqual({
      digest: wasm.digest,
      reason: expect.stringContaining('vnd.wasm'),
    })
  })

  it('fails the conversion if it is requested', async () => {
    const converting = convert('wasm', { platforms: ['linux/amd64', 'wasip1/wasm'] }, 'requested')
    await expect(converting).rejects.toMatchObject({ code: 'UNSUPPORTED_LAYER', side: 'source' })
    const chosen = await convert('wasm', { platforms: ['linux/amd64'] }, 'chosen')
    expect(chosen).toMatchObject({ dropped: [], kept: [] })
  })

  it('is kept if the result replaces the source, and again in a second conversion', async () => {
    const report = await convert('wasm', { overwrite: true }, 'a')
    expect(report.kept.map(({ digest }) => digest)).toContain(wasm.digest)
    expect(report).toMatchObject({ kept: [{}, { reason: expect.stringContaining('kept') }], dropped: [] })
    const { index } = await indexAt('wasm', 'a')
    expect(index.manifests).toHaveLength(3)
    expect(index.manifests[0]).toEqual(wasm)
    expect(index.manifests[1]?.digest).toBe(report.images[0]?.digest)
    expect(await bench.verify({ reference: `${host}/wasm:a` })).toMatchObject({ verified: true })
    expect((await convert('wasm', { overwrite: true }, 'a')).digest).toBe(report.digest)
  })

  it('fails the conversion if there is no other', async () => {
    await pushIndex(bench.repository('only-wasm'), [await pushWasm('only-wasm')], 'a')
    await expect(convert('only-wasm')).rejects.toMatchObject({ code: 'UNSUPPORTED_LAYER' })
    const config = { mediaType: 'application/vnd.wasm.config.v0+json' }
    const child = await push('no-image', { configDescriptorFields: () => config })
    await pushIndex(bench.repository('no-image'), [child], 'a')
    await expect(convert('no-image')).rejects.toMatchObject({ code: 'NOT_AN_IMAGE' })
  })

  it('may be one whose base layer only its publisher has', async () => {
    const repository = bench.repository('windows')
    const windows = await push('windows', {}, { os: 'windows', architecture: 'amd64' })
    const { bytes } = await repository.getManifest(windows.digest)
    const manifest = parseDocument(Manifest, bytes, 'windows')
    const foreign = {
      mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      digest: digestOf('elsewhere'),
      size: 9,
      urls: ['https://elsewhere.example/layer'],
    }
    const text = Buffer.from(JSON.stringify({ ...manifest, layers: [foreign, ...manifest.layers] }))
    await repository.putManifest(text, OCI_MANIFEST, digestOf(text))
    const child = { ...windows, digest: digestOf(text), size: text.length }
    await pushIndex(repository, [await push('windows', {}), child], 'a')
    expect((await convert('windows')).dropped).toEqual([
      { digest: child.digest, reason: expect.stringContaining(foreign.digest) },
    ])
  })
})

describe('a nested index', () => {
  it('is converted at its position', async () => {
    const repository = bench.repository('nested')
    const amd = await push('nested', {})
    const arm = await push(
      'nested',
      { layers: otherLayers, architecture: 'arm64' },
      { os: 'linux', architecture: 'arm64' },
    )
    const inner = await pushIndex(repository, [arm, await pushWasm('nested')], 'inner', {
      annotations: { 'org.example': 'inner', 'com.amazon.soci.index-digest': digestOf('soci') },
    })
    await pushIndex(repository, [amd, { ...inner, annotations: { 'org.example': 'listed' } }], 'a')
    const report = await convert('nested')
    expect(report.images.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64'])
    expect(report.dropped).toMatchObject([{ reason: expect.stringContaining('wasm') }])
    expect(report.removed).toEqual([{ digest: inner.digest, names: ['com.amazon.soci.index-digest'] }])
    const { index } = await indexAt('nested', 'esgz')
    expect(index.manifests[1]).toMatchObject({
      annotations: { 'org.example': 'listed' },
      mediaType: OCI_INDEX,
    })
    const nested = await indexAt('nested', index.manifests[1]?.digest ?? '')
    expect(nested.index).toMatchObject({
      annotations: { 'org.example': 'inner', 'io.record-broker.conversion.source': inner.digest },
      manifests: [{ digest: report.images[1]?.digest }],
    })
    const chosen = await convert('nested', { platforms: ['linux/arm64'] }, 'arm')
    expect(chosen.images).toHaveLength(1)
    expect((await indexAt('nested', 'arm')).index.manifests).toHaveLength(1)
    const verified = await bench.verify({ reference: report.target, source: report.source })
    expect(verified).toMatchObject({ verified: true, images: [{}, {}] })
    // The result of an earlier attempt is recognized under the target tag.
    await pushIndex(repository, [inner, amd], 'a')
    const before = await convert('nested', {}, 'before')
    expect((await convert('nested', {}, 'before')).digest).toBe(before.digest)
  })

  it('is read up to a bound on the nesting', async () => {
    const repository = bench.repository('deep')
    let child = await push('deep', {})
    for (let depth = 1; depth <= 4; depth++)
      child = await pushIndex(repository, [child], depth === 4 ? 'a' : `d${depth}`)
    expect((await convert('deep')).images).toHaveLength(1)
    await pushIndex(repository, [child], 'a')
    await expect(convert('deep', {}, 'deeper')).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    // Each distinct document is read and converted once, however often others list it.
    let wide = await push('wide', {})
    for (let depth = 1; depth <= 4; depth++) {
      wide = await pushIndex(
        bench.repository('wide'),
        Array.from({ length: 50 }, () => wide),
        depth === 4 ? 'a' : `w${depth}`,
      )
    }
    const request = { source: `${host}/wide:a`, target: `${host}/wide:esgz` }
    // Not by the bench, whose validator would read every document as often as it is listed.
    const report = await runConversion(request, bench.services, { signal: new AbortController().signal })
    expect(report.images).toHaveLength(50)
  })
})

describe('a variant', () => {
  const arm = (variant?: string) => ({ os: 'linux', architecture: 'arm', ...(variant && { variant }) })

  it('that is requested is the only one converted, even if another one has the same manifest', async () => {
    const one = await push('twins', { configFields: { architecture: 'arm' } }, null)
    const twins = ['v6', 'v7'].map((variant) => ({ ...one, platform: arm(variant) }))
    await pushIndex(bench.repository('twins'), twins, 'a')
    const report = await convert('twins', { platforms: ['linux/arm/v6'] })
    expect(report.images.map(({ platform }) => platform)).toEqual(['linux/arm/v6'])
    expect((await indexAt('twins', 'esgz')).index.manifests.map(({ platform }) => platform)).toEqual([
      arm('v6'),
    ])
    const both = await convert('twins', {}, 'both')
    expect(both.images.map(({ platform }) => platform)).toEqual(['linux/arm/v6', 'linux/arm/v7'])
    expect(both.size).toBe(report.size)
    expect((await indexAt('twins', 'both')).index.manifests).toHaveLength(2)
  })

  it('is read from the config if the index lacks it', async () => {
    const platforms: (object | null)[] = [{ architecture: 'arm' }, arm(), {}, null]
    const descriptors: Descriptor[] = []
    for (const [i, platform] of platforms.entries()) {
      const config = { architecture: 'arm', variant: i % 2 === 0 ? 'v6' : 'v7', 'org.example': i }
      descriptors.push(await push('from-config', { configFields: config }, platform))
    }
    await pushIndex(bench.repository('from-config'), descriptors, 'a')
    const report = await convert('from-config', { platforms: ['linux/arm/v6'] })
    expect(report.images.map(({ source }) => source)).toEqual([
      descriptors[0]?.digest,
      descriptors[2]?.digest,
    ] as Digest[])
    expect(report.images[0]?.platform).toBe('linux/arm/v6')
  })
})

it('drops SOCI artifacts of the source, even if the result replaces the source', async () => {
  const repository = bench.repository('soci')
  const amd = await push('soci', {
    manifestFields: { annotations: { 'com.amazon.soci.index-digest': digestOf('1') } },
  })
  const artifactType = 'application/vnd.amazon.soci.index.v2+json'
  const ztoc = await push('soci', { layers: otherLayers, manifestFields: { artifactType } }, null)
  await pushIndex(repository, [amd, { ...ztoc, artifactType }], 'a')
  const report = await convert('soci', { overwrite: true }, 'a')
  expect(report.dropped).toMatchObject([{ digest: ztoc.digest, reason: expect.stringContaining('soci') }])
  expect(report.removed).toEqual([{ digest: amd.digest, names: ['com.amazon.soci.index-digest'] }])
})
