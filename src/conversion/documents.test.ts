import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion-bench.ts'
import { buildTar, dir, file } from '../../test/support/images/build-tar.ts'
import { pushImage, type TestImage } from '../../test/support/images/push-image.ts'
import { digestOf } from '../oci/digest.ts'
import { Manifest, parseDocument } from '../oci/documents.ts'
import { OCI_CONFIG } from '../oci/media-types.ts'
import { recordDigest } from '../records/model.ts'
import { OUTPUT_VERSION } from './reuse/layer-key.ts'

const tar = buildTar(dir('usr'), file('usr/a', 'a'.repeat(5000)), file('usr/c', 'c'))
const layers = [{ tar }]

let bench: ConversionBench
let host: string
beforeAll(async () => {
  bench = await ConversionBench.open()
  host = bench.host
})
afterAll(() => bench[Symbol.asyncDispose]())

type RequestFields = Omit<Parameters<ConversionBench['convert']>[0], 'source' | 'target'>

/** Pushes and converts an image, and returns the manifests of both, parsed and as bytes. */
async function pushAndConvert(
  name: string,
  image: Omit<TestImage, 'layers'> & Partial<TestImage>,
  fields: RequestFields = {},
) {
  const source = await pushImage(bench.repository(name), { layers, ...image }, 'a')
  const report = await bench.convert({
    source: `${host}/${name}:a`,
    target: `${host}/${name}:esgz`,
    ...fields,
  })
  const { bytes } = await bench.repository(name).getManifest('esgz')
  const manifest = parseDocument(Manifest, bytes, name)
  const sourceManifest = parseDocument(Manifest, (await bench.repository(name).getManifest('a')).bytes, name)
  const config = await bench.repository(name).readBlob(manifest.config, { limit: 1e6 })
  expect(await bench.verify({ reference: report.target, source: report.source })).toMatchObject({
    verified: true,
  })
  return { source, report, bytes, manifest, sourceManifest, config: config.toString() }
}

describe('a config', () => {
  const numbers =
    '"n":[9223372036854775807,-9223372036854775808,1.0,1e400,0.10,123456789012345678901234567890]'
  const text = (diffIds: readonly string[]) =>
    `{"architecture":"amd64", "os":"linux","config":{"Healthcheck":{"Interval":9223372036854775807},"Labels":{"b":"\\ud800","a":"é"}},${numbers},"__proto__":{"a":1},"rootfs":{"type":"layers","x":2.50,"diff_ids":${JSON.stringify(diffIds)}}}`

  it('keeps the digits of all numbers, and unknown fields', async () => {
    const { config, report } = await pushAndConvert('digits', { configText: text })
    expect(config).toBe(text(report.images[0]?.layers.map(({ diffId }) => diffId) ?? []).replace(', ', ','))
  })

  it('keeps all bytes if its diffIDs stay', async () => {
    const options = { externalToc: true, keepDiffId: true }
    const data = (bytes: Buffer) => ({ data: bytes.toString('base64') })
    const { config, sourceManifest, manifest, report } = await pushAndConvert(
      'same-config',
      { configText: text, configDescriptorFields: data },
      { options },
    )
    expect(config).toBe(text([digestOf(tar)]))
    expect(manifest.config).toEqual(sourceManifest.config)
    expect(report.removed).toEqual([])
  })

  it.each(['application/octet-stream', 'application/json', 'text/html', ''])(
    'may have the media type %j, as docker accepts it, and gets the type of OCI',
    async (mediaType) => {
      const name = `called-${digestOf(mediaType).slice(7, 15)}`
      const { manifest } = await pushAndConvert(name, { configDescriptorFields: () => ({ mediaType }) })
      expect(manifest.config.mediaType).toBe(OCI_CONFIG)
    },
  )

  it('with such a media type is not accepted if it is something else', async () => {
    const jsonConfig = { configDescriptorFields: () => ({ mediaType: 'application/json' }) }
    for (const image of [
      { ...jsonConfig, configText: () => '{"name":"chart"}', layers },
      { ...jsonConfig, configText: () => '[1]', layers },
      { ...jsonConfig, layers: [{ tar, mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' }] },
    ]) {
      await pushImage(bench.repository('json'), image, 'a')
      const converting = bench.convert({ source: `${host}/json:a`, target: `${host}/json:esgz` })
      await expect(converting).rejects.toMatchObject({ code: 'NOT_AN_IMAGE', side: 'source' })
    }
  })

  it('may lack the fields that docker does not need', async () => {
    const texts = [
      (ids: readonly string[]) => `{"rootfs":{"diff_ids":${JSON.stringify(ids)}}}`,
      (ids: readonly string[]) =>
        `{"os":null,"architecture":"arm64","variant":null,"history":null,"rootfs":{"type":null,"diff_ids":${JSON.stringify(ids)}}}`,
    ]
    const platforms: unknown[] = []
    for (const [i, configText] of texts.entries()) {
      const { report, config } = await pushAndConvert(`bare-${i}`, { configText })
      const ids = report.images[0]?.layers.map(({ diffId }) => diffId) ?? []
      // Other tools need the type of the root file system.
      const { rootfs, ...others } = JSON.parse(configText([]))
      expect(JSON.parse(config)).toEqual({ ...others, rootfs: { ...rootfs, type: 'layers', diff_ids: ids } })
      platforms.push(report.images[0]?.platform)
    }
    expect(platforms).toEqual(['linux/unknown', 'linux/arm64'])
    await pushImage(bench.repository('no-rootfs'), { layers, configText: () => '{"os":"linux"}' }, 'a')
    const converting = bench.convert({ source: `${host}/no-rootfs:a`, target: `${host}/no-rootfs:esgz` })
    await expect(converting).rejects.toMatchObject({ code: 'INVALID_IMAGE' })
  })
})

describe('a descriptor', () => {
  const stale = {
    'containerd.io/uncompressed': digestOf(tar),
    'containerd.io/snapshot/overlaybd/blob-digest': digestOf('obd'),
    'containerd.io/snapshot/nydus-source-digest': digestOf('nydus'),
    'io.containers.zstd-chunked.manifest-checksum': digestOf('zstd'),
    'com.amazon.soci.index-digest': digestOf('soci'),
  }
  const unrelated = { 'org.opencontainers.image.title': 'layer.tar', 'org.example': 'yes' }

  it('loses the fields that describe replaced bytes, and the report names them', async () => {
    const fields = { data: 'AAAA', urls: ['https://elsewhere.example/blob'], 'org.example.unknown': 5 }
    const replaced = { 'containerd.io/snapshot/stargz/toc.digest': digestOf('old') }
    const { manifest, sourceManifest, source, report } = await pushAndConvert('stale', {
      layers: [{ tar, annotations: { ...stale, ...unrelated, ...replaced }, descriptorFields: fields }],
      configDescriptorFields: (bytes) => ({
        data: bytes.toString('base64'),
        annotations: { 'org.example': 'config' },
      }),
      manifestFields: { annotations: { ...stale, ...unrelated }, 'org.example.member': [1] },
    })
    const [layer] = manifest.layers
    expect(layer).toMatchObject({ annotations: unrelated, 'org.example.unknown': 5 })
    expect(layer?.annotations?.['containerd.io/snapshot/stargz/toc.digest']).toBe(
      report.images[0]?.layers[0]?.tocDigest,
    )
    for (const one of [layer, manifest.config, manifest]) {
      expect(
        Object.keys({ ...one, ...one?.annotations }).filter((name) => name in { data: 1, urls: 1, ...stale }),
      ).toEqual([])
    }
    expect(manifest).toMatchObject({ annotations: unrelated, 'org.example.member': [1] })
    expect(manifest.config).toMatchObject({ annotations: { 'org.example': 'config' } })
    expect(report.removed).toEqual([
      { digest: source.digest, names: Object.keys(stale) },
      { digest: sourceManifest.config.digest, names: ['data'] },
      { digest: sourceManifest.layers[0]?.digest, names: ['data', 'urls', ...Object.keys(stale)] },
    ])
  })

  it('keeps the digits of numbers in unknown fields', async () => {
    const source = await pushImage(bench.repository('big-member'), { layers })
    const { bytes } = await bench.repository('big-member').getManifest(source.digest)
    const text = bytes.toString().replace('"layers"', '"x":9223372036854775807,"layers"')
    await bench.repository('big-member').putManifest(Buffer.from(text), source.mediaType, 'a')
    await bench.convert({ source: `${host}/big-member:a`, target: `${host}/big-member:esgz` })
    const result = await bench.repository('big-member').getManifest('esgz')
    expect(result.bytes.toString()).toContain('"x":9223372036854775807')
  })
})

describe('the provenance of a result', () => {
  const prefix = 'io.record-broker.conversion.'

  it('is in its annotations, by digests alone', async () => {
    const inline = [{ path: 'usr/c' }]
    const { manifest, source, bytes } = await pushAndConvert('provenance', {}, { record: { inline } })
    expect(manifest.annotations).toEqual({
      [`${prefix}source`]: source.digest,
      [`${prefix}record`]: recordDigest(inline),
      [`${prefix}options`]: expect.stringMatching(/^sha256:/),
      [`${prefix}version`]: String(OUTPUT_VERSION),
    })
    expect(bytes.toString()).not.toContain(host)
    const mirror = await pushAndConvert('mirror/provenance', {}, { record: { inline } })
    expect(mirror.bytes).toEqual(bytes)
  })

  it('distinguishes options, and treats omitted ones as their defaults', async () => {
    const convertWith = async (options?: object) =>
      (await pushAndConvert('options', {}, { ...(options && { options }), overwrite: true })).manifest
        .annotations?.[`${prefix}options`]
    const defaults = await convertWith()
    expect(await convertWith({ chunkSize: 4 * 1024 * 1024, interpreters: true, attestations: 'drop' })).toBe(
      defaults,
    )
    expect(await convertWith({ compressionLevel: 1 })).not.toBe(defaults)
  })

  it('is that of the latest conversion', async () => {
    const first = await pushAndConvert('again', {}, { record: { inline: [{ path: 'usr/c' }] } })
    const report = await bench.convert({ source: `${host}/again:esgz`, target: `${host}/again:twice` })
    const { bytes } = await bench.repository('again').getManifest('twice')
    const { annotations } = parseDocument(Manifest, bytes, 'twice')
    expect(annotations?.[`${prefix}source`]).toBe(first.report.digest)
    expect(annotations).not.toHaveProperty([`${prefix}record`])
    expect(report.removed).toEqual([])
  })

  it('stays the same if a result that replaced its source is converted again', async () => {
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
  it('makes the source the subject of results in its own repository only', async () => {
    const options = { link: 'subject' as const }
    const { manifest, source, report } = await pushAndConvert('linked', {}, { options })
    const { mediaType, digest, size } = source
    expect(manifest.subject).toEqual({ mediaType, digest, size })
    expect(report.subject).toBe(digest)
    expect((await bench.repository('linked').listReferrers(digest)).map((one) => one.digest)).toEqual([
      report.digest,
    ])
    const target = `${host}/elsewhere/linked:esgz`
    const other = await bench.convert({ source: `${host}/linked:a`, target, options })
    expect(other).not.toHaveProperty('subject')
    const elsewhere = await bench.repository('elsewhere/linked').getManifest('esgz')
    expect(parseDocument(Manifest, elsewhere.bytes, 'elsewhere')).not.toHaveProperty('subject')
  })
})
