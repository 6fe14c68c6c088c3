import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion.ts'
import { pushImage, type TestImage } from '../../test/support/image-of.ts'
import { dir, file, tarOf } from '../../test/support/tar-of.ts'
import { digestOf } from '../oci/digest.ts'
import { Manifest, parseDocument } from '../oci/documents.ts'
import { OCI_CONFIG } from '../oci/media-types.ts'
import { recordDigest } from '../records/model.ts'
import { OUTPUT_VERSION } from './reuse/layer-key.ts'

const tar = tarOf(dir('usr'), file('usr/a', 'a'.repeat(5000)), file('usr/c', 'c'))
const layers = [{ tar }]

let bench: ConversionBench
let host: string
beforeAll(async () => {
  bench = await ConversionBench.open()
  host = bench.host
})
afterAll(() => bench[Symbol.asyncDispose]())

type More = Omit<Parameters<ConversionBench['convert']>[0], 'source' | 'target'>

/** Pushes an image, converts it, and answers both manifests, as text and parsed. */
async function converted(
  name: string,
  image: Omit<TestImage, 'layers'> & Partial<TestImage>,
  more: More = {},
) {
  const source = await pushImage(bench.repository(name), { layers, ...image }, 'a')
  const report = await bench.convert({ source: `${host}/${name}:a`, target: `${host}/${name}:esgz`, ...more })
  const { bytes } = await bench.repository(name).manifest('esgz')
  const manifest = parseDocument(Manifest, bytes, name)
  const before = parseDocument(Manifest, (await bench.repository(name).manifest('a')).bytes, name)
  const config = await bench.repository(name).blobBytes(manifest.config, { limit: 1e6 })
  expect(await bench.verify({ reference: report.target, source: report.source })).toMatchObject({
    verified: true,
  })
  return { source, report, bytes, manifest, before, config: config.toString() }
}

describe('a config', () => {
  const numbers =
    '"n":[9223372036854775807,-9223372036854775808,1.0,1e400,0.10,123456789012345678901234567890]'
  const text = (diffIds: readonly string[]) =>
    `{"architecture":"amd64", "os":"linux","config":{"Healthcheck":{"Interval":9223372036854775807},"Labels":{"b":"\\ud800","a":"é"}},${numbers},"__proto__":{"a":1},"rootfs":{"type":"layers","x":2.50,"diff_ids":${JSON.stringify(diffIds)}}}`

  it('keeps every digit, and every member that nobody here knows', async () => {
    const { config, report } = await converted('digits', { configText: text })
    expect(config).toBe(text(report.images[0]?.layers.map(({ diffId }) => diffId) ?? []).replace(', ', ','))
  })

  it('stays as it is, to the byte, where its diffIDs do', async () => {
    const options = { externalToc: true, keepDiffId: true }
    const data = (bytes: Buffer) => ({ data: bytes.toString('base64') })
    const { config, before, manifest, report } = await converted(
      'same-config',
      { configText: text, configPlace: data },
      { options },
    )
    expect(config).toBe(text([digestOf(tar)]))
    expect(manifest.config).toEqual(before.config)
    expect(report.removed).toEqual([])
  })

  it.each(['application/octet-stream', 'application/json', 'text/html', ''])(
    'may be called %j, as docker takes it, and is called by its name in the result',
    async (mediaType) => {
      const name = `called-${digestOf(mediaType).slice(7, 15)}`
      const { manifest } = await converted(name, { configPlace: () => ({ mediaType }) })
      expect(manifest.config.mediaType).toBe(OCI_CONFIG)
    },
  )

  it('is none when it is called so and holds something else', async () => {
    const place = { configPlace: () => ({ mediaType: 'application/json' }) }
    for (const image of [
      { ...place, configText: () => '{"name":"chart"}', layers },
      { ...place, configText: () => '[1]', layers },
      { ...place, layers: [{ tar, mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' }] },
    ]) {
      await pushImage(bench.repository('json'), image, 'a')
      const converting = bench.convert({ source: `${host}/json:a`, target: `${host}/json:esgz` })
      await expect(converting).rejects.toMatchObject({ code: 'NOT_AN_IMAGE', side: 'source' })
    }
  })

  it('may leave out what docker does without', async () => {
    const texts = [
      (ids: readonly string[]) => `{"rootfs":{"diff_ids":${JSON.stringify(ids)}}}`,
      (ids: readonly string[]) =>
        `{"os":null,"architecture":"arm64","variant":null,"history":null,"rootfs":{"type":null,"diff_ids":${JSON.stringify(ids)}}}`,
    ]
    const seen: unknown[] = []
    for (const [i, configText] of texts.entries()) {
      const { report, config } = await converted(`bare-${i}`, { configText })
      const ids = report.images[0]?.layers.map(({ diffId }) => diffId) ?? []
      // The type of a root file system is what other tools do not do without.
      const { rootfs, ...others } = JSON.parse(configText([]))
      expect(JSON.parse(config)).toEqual({ ...others, rootfs: { ...rootfs, type: 'layers', diff_ids: ids } })
      seen.push(report.images[0]?.platform)
    }
    expect(seen).toEqual(['linux/unknown', 'linux/arm64'])
    await pushImage(bench.repository('no-rootfs'), { layers, configText: () => '{"os":"linux"}' }, 'a')
    const without = bench.convert({ source: `${host}/no-rootfs:a`, target: `${host}/no-rootfs:esgz` })
    await expect(without).rejects.toMatchObject({ code: 'INVALID_IMAGE' })
  })
})

describe('a descriptor', () => {
  const gone = {
    'containerd.io/uncompressed': digestOf(tar),
    'containerd.io/snapshot/overlaybd/blob-digest': digestOf('obd'),
    'containerd.io/snapshot/nydus-source-digest': digestOf('nydus'),
    'io.containers.zstd-chunked.manifest-checksum': digestOf('zstd'),
    'com.amazon.soci.index-digest': digestOf('soci'),
  }
  const stays = { 'org.opencontainers.image.title': 'layer.tar', 'org.example': 'yes' }

  it('loses what speaks of bytes that are gone, and the report names it', async () => {
    const place = { data: 'AAAA', urls: ['https://elsewhere.example/blob'], 'org.example.unknown': 5 }
    const stale = { 'containerd.io/snapshot/stargz/toc.digest': digestOf('old') }
    const { manifest, before, source, report } = await converted('gone', {
      layers: [{ tar, annotations: { ...gone, ...stays, ...stale }, place }],
      configPlace: (bytes) => ({ data: bytes.toString('base64'), annotations: { 'org.example': 'config' } }),
      fields: { annotations: { ...gone, ...stays }, 'org.example.member': [1] },
    })
    const [layer] = manifest.layers
    expect(layer).toMatchObject({ annotations: stays, 'org.example.unknown': 5 })
    expect(layer?.annotations?.['containerd.io/snapshot/stargz/toc.digest']).toBe(
      report.images[0]?.layers[0]?.tocDigest,
    )
    for (const one of [layer, manifest.config, manifest]) {
      expect(
        Object.keys({ ...one, ...one?.annotations }).filter((name) => name in { data: 1, urls: 1, ...gone }),
      ).toEqual([])
    }
    expect(manifest).toMatchObject({ annotations: stays, 'org.example.member': [1] })
    expect(manifest.config).toMatchObject({ annotations: { 'org.example': 'config' } })
    expect(report.removed).toEqual([
      { digest: source.digest, names: Object.keys(gone) },
      { digest: before.config.digest, names: ['data'] },
      { digest: before.layers[0]?.digest, names: ['data', 'urls', ...Object.keys(gone)] },
    ])
  })

  it('keeps digits in members that nobody here knows', async () => {
    const source = await pushImage(bench.repository('big-member'), { layers })
    const { bytes } = await bench.repository('big-member').manifest(source.digest)
    const text = bytes.toString().replace('"layers"', '"x":9223372036854775807,"layers"')
    await bench.repository('big-member').putManifest(Buffer.from(text), source.mediaType, 'a')
    await bench.convert({ source: `${host}/big-member:a`, target: `${host}/big-member:esgz` })
    const result = await bench.repository('big-member').manifest('esgz')
    expect(result.bytes.toString()).toContain('"x":9223372036854775807')
  })
})

describe('what a result was made of', () => {
  const made = 'io.record-broker.conversion.'

  it('is in its annotations, by content alone', async () => {
    const inline = [{ path: 'usr/c' }]
    const { manifest, source, bytes } = await converted('made', {}, { record: { inline } })
    expect(manifest.annotations).toEqual({
      [`${made}source`]: source.digest,
      [`${made}record`]: recordDigest(inline),
      [`${made}options`]: expect.stringMatching(/^sha256:/),
      [`${made}version`]: String(OUTPUT_VERSION),
    })
    expect(bytes.toString()).not.toContain(host)
    const mirror = await converted('mirror/made', {}, { record: { inline } })
    expect(mirror.bytes).toEqual(bytes)
  })

  it('tells options apart, those that were left out included', async () => {
    const of = async (options?: object) =>
      (await converted('options', {}, { ...(options && { options }), overwrite: true })).manifest
        .annotations?.[`${made}options`]
    const plain = await of()
    expect(await of({ chunkSize: 4 * 1024 * 1024, interpreters: true, attestations: 'drop' })).toBe(plain)
    expect(await of({ compressionLevel: 1 })).not.toBe(plain)
  })

  it('is that of the latest conversion', async () => {
    const first = await converted('again', {}, { record: { inline: [{ path: 'usr/c' }] } })
    const report = await bench.convert({ source: `${host}/again:esgz`, target: `${host}/again:twice` })
    const { bytes } = await bench.repository('again').manifest('twice')
    const { annotations } = parseDocument(Manifest, bytes, 'twice')
    expect(annotations?.[`${made}source`]).toBe(first.report.digest)
    expect(annotations).not.toHaveProperty([`${made}record`])
    expect(report.removed).toEqual([])
  })

  it('converges where the result takes the tag of its source', async () => {
    const request = {
      source: `${host}/place:a`,
      target: `${host}/place:a`,
      overwrite: true,
      record: { inline: [{ path: 'usr/c' }] },
      options: { link: 'subject' as const },
    }
    const source = await pushImage(bench.repository('place'), { layers }, 'a')
    const once = await bench.convert(request)
    const again = await bench.convert(request)
    expect(again).toMatchObject({ digest: once.digest, subject: source.digest })
  })
})

describe('options.link', () => {
  it('makes the source the subject in its own repository, and there alone', async () => {
    const options = { link: 'subject' as const }
    const { manifest, source, report } = await converted('linked', {}, { options })
    const { mediaType, digest, size } = source
    expect(manifest.subject).toEqual({ mediaType, digest, size })
    expect(report.subject).toBe(digest)
    expect((await bench.repository('linked').referrers(digest)).map((one) => one.digest)).toEqual([
      report.digest,
    ])
    const target = `${host}/elsewhere/linked:esgz`
    const other = await bench.convert({ source: `${host}/linked:a`, target, options })
    expect(other).not.toHaveProperty('subject')
    const far = await bench.repository('elsewhere/linked').manifest('esgz')
    expect(parseDocument(Manifest, far.bytes, 'far')).not.toHaveProperty('subject')
  })
})
