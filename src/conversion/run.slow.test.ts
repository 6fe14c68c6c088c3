import { randomBytes } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion-bench.ts'
import { buildTar, dir, file, hardlink, symlink } from '../../test/support/images/build-tar.ts'
import { pushImage, pushIndex } from '../../test/support/images/push-image.ts'
import { HttpServer } from '../../test/support/servers/http-server.ts'
import { digestOf } from '../oci/digest.ts'
import { ImageConfig, Index, Manifest, parseDocument } from '../oci/documents.ts'
import {
  DOCKER_CONFIG,
  DOCKER_INDEX,
  DOCKER_LAYER_GZIP,
  DOCKER_MANIFEST,
  OCI_INDEX,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from '../oci/media-types.ts'
import { publishRecordImage } from '../records/images/publish-record-image.ts'
import { inspectImage } from './inspect.ts'

const big = randomBytes(5 * 1024 * 1024)
const base = buildTar(
  dir('usr'),
  dir('usr/bin'),
  file('usr/bin/app', 'app'),
  file('usr/bin/other', 'other'),
  dir('usr/lib'),
  file('usr/lib/big.so', big),
  symlink('lib', 'usr/lib'),
)
const top = buildTar(
  dir('etc'),
  file('etc/conf', 'conf'),
  hardlink('etc/conf.link', 'etc/conf'),
  file('usr/lib/.wh.old', ''),
)

let bench: ConversionBench
let host: string
beforeAll(async () => {
  bench = await ConversionBench.open()
  host = bench.host
  await pushImage(bench.repository('app'), { layers: [{ tar: base }, { tar: top }] }, '1')
})
afterAll(() => bench[Symbol.asyncDispose]())

async function manifestOf(repository: string, reference: string) {
  const { bytes, descriptor } = await bench.repository(repository).getManifest(reference)
  return { descriptor, manifest: parseDocument(Manifest, bytes, reference) }
}

describe('without a record', () => {
  it('streams all layers, without scratch disk, to an image that verifies and has the same files', async () => {
    const report = await bench.convert({ source: `${host}/app:1`, target: `${host}/app:1-esgz` })
    expect(report.images[0]?.layers).toMatchObject([
      {
        action: 'streamed',
        landmark: 'no-prefetch',
        entryCount: 8,
        prioritizedFileCount: 0,
        prefetchBytes: 0,
      },
      // With entries for the root and the directories of the whiteout.
      { action: 'streamed', landmark: 'no-prefetch', entryCount: 7 },
    ])
    const { descriptor, manifest } = await manifestOf('app', '1-esgz')
    expect(descriptor.digest).toBe(report.digest)
    expect(descriptor.mediaType).toBe(OCI_MANIFEST)
    expect(manifest.layers.map((layer) => layer.mediaType)).toEqual([OCI_LAYER_GZIP, OCI_LAYER_GZIP])
    expect(manifest.layers[0]?.annotations?.['containerd.io/snapshot/stargz/toc.digest']).toBe(
      report.images[0]?.layers[0]?.tocDigest,
    )
    const config = parseDocument(
      ImageConfig,
      await bench.repository('app').readBlob(manifest.config, { limit: 1e6 }),
      'config',
    )
    expect(config.rootfs.diff_ids).toEqual(report.images[0]?.layers.map((layer) => layer.diffId))
    expect(config.history).toHaveLength(3)
    expect(config.config).toEqual({ Cmd: ['/bin/sh'] })
    const verified = await bench.verify({ reference: `${host}/app:1-esgz`, source: `${host}/app:1` })
    expect(verified).toMatchObject({ verified: true, images: [{ differences: [] }] })
    // The landmark is an entry with its own chunk.
    expect(verified.images[0]?.layers[0]).toMatchObject({ chunkCount: 5, entryCount: 9 })
    expect(bench.listScratchFiles()).toEqual([])
  })

  it('gives the same digest a second time, when the tag exists', async () => {
    const first = await bench.convert({ source: `${host}/app:1`, target: `${host}/other/app:again` })
    const second = await bench.convert({ source: `${host}/app:1`, target: `${host}/other/app:again` })
    expect(second.digest).toBe(first.digest)
  })

  it('accepts zstd, uncompressed and multi-member gzip layers, and those with a wrong type', async () => {
    const half = base.length >> 1
    const members = (tar: Buffer) =>
      Buffer.concat([gzipSync(tar.subarray(0, half)), gzipSync(tar.subarray(half))])
    await pushImage(
      bench.repository('mixed'),
      {
        layers: [
          { tar: base, compress: (tar) => zstdCompressSync(tar), mediaType: OCI_LAYER_ZSTD },
          { tar: top, compress: (tar) => tar, mediaType: OCI_LAYER },
          { tar: base, compress: members },
          { tar: top, compress: (tar) => zstdCompressSync(tar) },
        ],
      },
      '1',
    )
    const report = await bench.convert({ source: `${host}/mixed:1`, target: `${host}/mixed:esgz` })
    expect(report.images[0]?.layers.map((layer) => layer.compression.method)).toEqual([
      'recompress',
      'recompress',
      'transcode',
      'recompress',
    ])
    expect(await bench.verify({ reference: report.target, source: report.source })).toMatchObject({
      verified: true,
    })
  })

  it('converts an eStargz layer to the same bytes', async () => {
    const once = await bench.convert({ source: `${host}/app:1`, target: `${host}/twice:1` })
    const twice = await bench.convert({ source: `${host}/twice:1`, target: `${host}/twice:2` })
    expect(twice.images[0]?.layers.map((layer) => layer.digest)).toEqual(
      once.images[0]?.layers.map((layer) => layer.digest),
    )
  })

  it('converts a repeated layer once if the layers below give it the same directories', async () => {
    const repeated = buildTar(dir('./'), dir('etc'), file('etc/conf', 'conf'))
    await pushImage(
      bench.repository('double'),
      { layers: [{ tar: repeated }, { tar: base }, { tar: repeated }] },
      '1',
    )
    const report = await bench.convert({ source: `${host}/double:1`, target: `${host}/double:esgz` })
    expect(report.images[0]?.layers.map((layer) => layer.action)).toEqual([
      'streamed',
      'streamed',
      'duplicate',
    ])
    expect(await bench.verify({ reference: report.target, source: report.source })).toMatchObject({
      verified: true,
    })
  })
})

describe('with a record', () => {
  it('places the recorded files first, follows links, and reports missing files', async () => {
    const states: string[] = []
    const report = await bench.convert(
      {
        source: `${host}/app:1`,
        target: `${host}/app:1-fast`,
        record: { inline: [{ path: 'lib/big.so' }, { path: 'usr/bin/app' }, { path: 'no/such' }] },
      },
      { onProgress: ({ layers }) => states.push(layers.map((layer) => layer.state).join()) },
    )
    const use = report.images[0]?.record
    expect(use).toMatchObject({
      entryCount: 3,
      pathCount: 3,
      placedCount: 2,
      followedCount: 1,
      notFoundCount: 1,
      notFound: [{ path: 'no/such' }],
      hiddenCount: 0,
      exact: true,
      stalenessUnknown: expect.stringContaining('no digest'),
    })
    expect(use?.layers.map((layer) => layer.prefetchBytes)).toEqual(
      report.images[0]?.layers.map((layer) => layer.prefetchBytes),
    )
    expect(use?.imageBytes).toBe(report.sourceSize)
    expect(report.images[0]?.layers).toMatchObject([
      { action: 'arranged', landmark: 'prefetch', prioritizedFileCount: 3 },
      { action: 'arranged', landmark: 'no-prefetch', prioritizedFileCount: 0, prefetchBytes: 0 },
    ])
    expect(report.images[0]?.layers[0]?.prefetchBytes).toBeGreaterThan(big.length)
    const inspection = await inspectImage(`${host}/app:1-fast`, bench.services, new AbortController().signal)
    expect(inspection.images[0]?.layers[0]).toMatchObject({
      estargz: true,
      tocDigestAnnotated: true,
      prioritizedFiles: ['lib', 'usr/lib/big.so', 'usr/bin/app'],
    })
    expect(await bench.verify({ reference: report.target, source: report.source })).toMatchObject({
      verified: true,
    })
    expect(states.at(-1)).toBe('done,done')
    expect(bench.listScratchFiles()).toEqual([])
  })

  it('chooses the record of the source, also from its conversion, and reports which', async () => {
    const repository = bench.repository('matched')
    const image = { layers: [{ tar: base }, { tar: top }] }
    const subject = await pushImage(repository, image, '1')
    const request = { source: `${host}/matched:1`, target: `${host}/matched:1-fast` }
    const match = { workload: 'serve' }
    await expect(bench.convert({ ...request, record: { match } })).rejects.toMatchObject({
      code: 'RECORD_NOT_FOUND',
    })
    const publish = (path: string, tag: string, options: object) =>
      publishRecordImage(repository, [{ path }], { tag, workload: 'serve', ...options })
    await publish('usr/bin/app', 'record-2', {
      image: `${host}/matched:2`,
      createdAt: '2026-02-01T00:00:00Z',
    })
    const other = await bench.convert({ ...request, target: `${host}/matched:other`, record: { match: {} } })
    expect(other.images[0]?.record).toMatchObject({ from: { match: 'repository', workload: 'serve' } })
    const best = await publish('lib/big.so', 'record-1', { subject, createdAt: '2026-01-01T00:00:00Z' })
    const report = await bench.convert({ ...request, record: { match }, options: { attachRecord: true } })
    expect(report.images[0]?.record).toMatchObject({
      placedCount: 1,
      from: {
        match: 'digest',
        reference: `${host}/matched@${best.digest}`,
        createdAt: '2026-01-01T00:00:00Z',
      },
      staleness: { changedCount: 0 },
    })
    expect(report.attached).toMatchObject([{ subject: report.digest }])
    expect((await repository.listReferrers(report.digest)).map(({ digest }) => digest)).toEqual([
      report.attached?.[0]?.reference.split('@')[1],
    ])
    // It is found from the converted image, too.
    const again = await bench.convert({
      source: request.target,
      target: `${host}/matched:again`,
      record: { match },
    })
    expect(again.images[0]?.record).toMatchObject({ placedCount: 1, from: { match: 'digest' } })
    const globs = {
      record: { inline: [{ path: 'usr/*', glob: true as const }] },
      options: { attachRecord: true },
    }
    await expect(bench.convert({ ...request, ...globs })).rejects.toMatchObject({ code: 'RECORD_HAS_GLOBS' })
  })

  it('chooses the record of each image of an index, otherwise that of the index', async () => {
    const repository = bench.repository('matched-index')
    const amd = await pushImage(repository, { layers: [{ tar: base }] })
    const arm = await pushImage(repository, { layers: [{ tar: top }, { tar: base }], architecture: 'arm64' })
    const index = await pushIndex(repository, [amd, arm], '1')
    const indexRecord = await publishRecordImage(repository, [{ path: 'usr/bin/app' }], {
      tag: 'r1',
      subject: index,
    })
    const armRecord = await publishRecordImage(repository, [{ path: 'lib/big.so' }], {
      tag: 'r2',
      subject: arm,
    })
    const report = await bench.convert({
      source: `${host}/matched-index:1`,
      target: `${host}/matched-index:fast`,
      record: { match: {} },
      options: { attachRecord: true },
    })
    const from = report.images.map(({ platform, record }) => [
      platform,
      record?.from?.reference.split('@')[1],
    ])
    expect(from).toEqual([
      ['linux/amd64', indexRecord.digest],
      ['linux/arm64', armRecord.digest],
    ])
    expect(report.attached?.map(({ subject }) => subject)).toEqual(report.images.map(({ digest }) => digest))
  })

  it('converts to the same layers with an uploaded record, a record image and a copied order', async () => {
    const entries = [{ path: 'usr/bin/other' }, { path: 'etc/conf' }]
    const id = '019ab000-0000-7000-8000-000000000000'
    bench.records.set(id, entries)
    await publishRecordImage(bench.repository('app'), entries, { tag: 'record-1-x' })
    const reports: Awaited<ReturnType<typeof bench.convert>>[] = []
    for (const record of [{ id }, { image: `${host}/app:record-1-x` }, { copyFrom: `${host}/copy:0` }]) {
      const target: string = `${host}/copy:${reports.length}`
      reports.push(await bench.convert({ source: `${host}/app:1`, target, record }))
    }
    const layers = reports.map(({ images }) => images[0]?.layers.map(({ digest }) => digest))
    expect(layers).toEqual([layers[0], layers[0], layers[0]])
    // The copied record differs, as its entries have layer positions.
    const [stored, published, copied] = reports.map(({ digest }) => digest)
    expect([published === stored, copied === stored]).toEqual([true, false])
  })

  it('fails to copy from an image without eStargz layers', async () => {
    const record = { copyFrom: `${host}/app:1` }
    await expect(
      bench.convert({ source: `${host}/app:1`, target: `${host}/app:none`, record }),
    ).rejects.toMatchObject({ code: 'NO_PRIORITIZED_FILES', side: 'record' })
    expect(await bench.repository('app').resolve('none')).toBeUndefined()
  })

  it('fails before it downloads if the scratch limit is too low', async () => {
    const services = { ...bench.services, scratch: { ...bench.services.scratch, limitBytes: 1000 } }
    const { runConversion } = await import('./run.ts')
    const record = { inline: [{ path: 'usr/bin/app' }] }
    await expect(
      runConversion({ source: `${host}/app:1`, target: `${host}/app:short`, record }, services, {
        signal: new AbortController().signal,
      }),
    ).rejects.toMatchObject({ code: 'SCRATCH_FULL' })
    expect(bench.listScratchFiles()).toEqual([])
  })
})

describe('an index', () => {
  beforeAll(async () => {
    const repository = bench.repository('multi')
    const amd64 = await pushImage(repository, { layers: [{ tar: base }, { tar: top }] })
    const arm64 = await pushImage(repository, { layers: [{ tar: top }], architecture: 'arm64' })
    const attestation = await pushImage(repository, {
      layers: [
        { tar: Buffer.from('{}'), mediaType: 'application/vnd.in-toto+json', compress: (bytes) => bytes },
      ],
      architecture: 'unknown',
    })
    const annotations = {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': amd64.digest,
    }
    await pushIndex(
      repository,
      [
        { ...amd64, annotations: { 'org.example.child': 'yes' } },
        arm64,
        { ...attestation, platform: { os: 'unknown', architecture: 'unknown' }, annotations },
      ],
      '1',
      { annotations: { 'org.example.index': 'kept' } },
    )
  })

  async function indexOf(tag: string) {
    return parseDocument(Index, (await bench.repository('multi').getManifest(tag)).bytes, tag)
  }

  it('is converted with all images; attestations are dropped and reported', async () => {
    const report = await bench.convert({ source: `${host}/multi:1`, target: `${host}/multi:esgz` })
    expect(report.mediaType).toBe(OCI_INDEX)
    expect(report.images.map((image) => image.platform)).toEqual(['linux/amd64', 'linux/arm64'])
    expect(report.dropped).toMatchObject([{ reason: expect.stringContaining('attestation') }])
    const index = await indexOf('esgz')
    expect(index.annotations).toMatchObject({ 'org.example.index': 'kept' })
    expect(index.manifests).toHaveLength(2)
    expect(index.manifests[0]).toMatchObject({
      annotations: { 'org.example.child': 'yes' },
      platform: { architecture: 'amd64' },
    })
    const verified = await bench.verify({ reference: report.target, source: report.source })
    expect(verified.verified).toBe(true)
    expect(verified.images).toHaveLength(2)
  })

  it('keeps attestations on request; they still name the image that they attest', async () => {
    const report = await bench.convert({
      source: `${host}/multi:1`,
      target: `${host}/multi:kept`,
      options: { attestations: 'keep' },
    })
    const index = await indexOf('kept')
    const attested = report.images[0]?.source ?? ''
    expect(report.kept).toMatchObject([{ reason: expect.stringContaining(attested) }])
    expect(index.manifests[2]?.annotations?.['vnd.docker.reference.digest']).toBe(attested)
    expect(await bench.repository('multi').resolve(index.manifests[2]?.digest ?? '')).toBeDefined()
  })

  it('is converted for the requested platforms, and fails if one is missing', async () => {
    const report = await bench.convert({
      source: `${host}/multi:1`,
      target: `${host}/multi:arm`,
      platforms: ['linux/arm64'],
    })
    expect(report.images.map((image) => image.platform)).toEqual(['linux/arm64'])
    await expect(
      bench.convert({
        source: `${host}/multi:1`,
        target: `${host}/multi:s390`,
        platforms: ['linux/arm64', 'linux/s390x'],
      }),
    ).rejects.toMatchObject({
      code: 'PLATFORM_NOT_FOUND',
      message: expect.stringContaining('linux/amd64, linux/arm64'),
    })
  })
})

it('converts Docker documents to those of OCI', async () => {
  const repository = bench.repository('docker')
  const child = await pushImage(repository, {
    layers: [{ tar: top, mediaType: DOCKER_LAYER_GZIP }],
    manifestFields: { mediaType: DOCKER_MANIFEST },
  })
  expect(child.mediaType).toBe(DOCKER_MANIFEST)
  await repository.putManifest(
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: DOCKER_INDEX, manifests: [child] })),
    DOCKER_INDEX,
    '1',
  )
  const report = await bench.convert({ source: `${host}/docker:1`, target: `${host}/docker:esgz` })
  expect(report.mediaType).toBe(OCI_INDEX)
  const { manifest } = await manifestOf('docker', report.images[0]?.digest ?? '')
  expect(manifest.mediaType).toBe(OCI_MANIFEST)
  expect(manifest.config.mediaType).not.toBe(DOCKER_CONFIG)
  expect(manifest.layers[0]?.mediaType).toBe(OCI_LAYER_GZIP)
})

describe('the target', () => {
  it('is not moved from another image unless overwrite is set', async () => {
    const other = await pushImage(bench.repository('kept'), { layers: [{ tar: top }] }, '1')
    const request = { source: `${host}/app:1`, target: `${host}/kept:1` }
    await expect(bench.convert(request)).rejects.toMatchObject({ code: 'TARGET_EXISTS', side: 'target' })
    expect((await bench.repository('kept').resolve('1'))?.digest).toBe(other.digest)
    const { digest } = await bench.convert({ ...request, overwrite: true })
    expect((await bench.repository('kept').resolve('1'))?.digest).toBe(digest)
    // Another converted image could be the result of an earlier attempt: only the final digest shows that it
    // is not.
    const record = { inline: [{ path: 'usr/bin/app' }] }
    await expect(bench.convert({ ...request, record })).rejects.toMatchObject({ code: 'TARGET_EXISTS' })
    expect((await bench.repository('kept').resolve('1'))?.digest).toBe(digest)
  })
})

describe('an inconsistent source', () => {
  async function failToConvert(layers: Parameters<typeof pushImage>[1]['layers'], config = {}) {
    const name = `bad/${digestOf(randomBytes(8)).slice(7, 19)}`
    await pushImage(bench.repository(name), { layers, configFields: config }, '1')
    const error = await bench
      .convert({ source: `${host}/${name}:1`, target: `${host}/${name}:esgz` })
      .then(() => undefined)
      .catch((reason: unknown) => reason)
    expect(await bench.repository(name).resolve('esgz')).toBeUndefined()
    expect(bench.listScratchFiles()).toEqual([])
    return error
  }

  it('with a truncated layer fails with the side of the error', async () => {
    expect(
      await failToConvert([{ tar: base, compress: (tar) => gzipSync(tar).subarray(0, -100) }, { tar: top }]),
    ).toMatchObject({ code: 'CORRUPT_GZIP', side: 'source', retryable: false })
  })

  it('with other diffIDs in its config fails', async () => {
    const rootfs = { type: 'layers', diff_ids: [digestOf('something else')] }
    expect(await failToConvert([{ tar: top }], { rootfs })).toMatchObject({ code: 'INVALID_IMAGE' })
    expect(await failToConvert([{ tar: top }, { tar: base }], { rootfs })).toMatchObject({
      code: 'INVALID_IMAGE',
    })
  })

  it('with an artifact as a layer fails before work begins', async () => {
    expect(await failToConvert([{ tar: top, mediaType: 'application/vnd.cncf.helm.chart' }])).toMatchObject({
      code: 'UNSUPPORTED_LAYER',
    })
  })

  it('with a layer of another digest fails', async () => {
    const { manifest } = await manifestOf('app', '1')
    const [layer] = manifest.layers
    if (!layer) throw new Error('no layer')
    const original = await bench.repository('app').readBlob(layer, { limit: 1e8 })
    const tampered = Buffer.from(original)
    tampered[tampered.length >> 1] = (tampered[tampered.length >> 1] ?? 0) ^ 1
    // A registry that serves this one image, with one tampered layer.
    await using tampering = await HttpServer.start(async ({ path }, response) => {
      const digest = /(sha256:[a-f0-9]+)$/.exec(path)?.[1]
      if (path.includes('/manifests/')) {
        const { bytes, descriptor } = await bench.repository('app').getManifest('1')
        response.writeHead(200, {
          'content-type': descriptor.mediaType,
          'docker-content-digest': descriptor.digest,
        })
        response.end(bytes)
      } else if (digest === layer.digest) response.end(tampered)
      else {
        const blob = [manifest.config, ...manifest.layers].find((one) => one.digest === digest)
        if (!blob) response.writeHead(200).end()
        else response.end(await bench.repository('app').readBlob(blob, { limit: 1e8 }))
      }
    })
    await using other = await ConversionBench.open(host, [tampering.host])
    for (const record of [undefined, { inline: [{ path: 'usr/bin/app' }] }]) {
      await expect(
        other.convert({
          source: `${tampering.host}/app:1`,
          target: `${host}/tampered:esgz`,
          ...(record && { record }),
        }),
      ).rejects.toMatchObject({ side: 'source', code: expect.stringMatching(/DIGEST_MISMATCH|CORRUPT_GZIP/) })
      expect(other.listScratchFiles()).toEqual([])
    }
    expect(await bench.repository('tampered').resolve('esgz')).toBeUndefined()
  })
})

it('stops when it is aborted, and leaves neither a tag nor scratch files', async () => {
  const stop = new AbortController()
  const record = { inline: [{ path: 'usr/bin/app' }] }
  const converting = bench.convert(
    { source: `${host}/app:1`, target: `${host}/app:stopped`, record },
    {
      signal: stop.signal,
      onProgress: ({ layers }) => {
        if (layers.some((layer) => layer.written > 0)) stop.abort(new Error('stopped'))
      },
    },
  )
  await expect(converting).rejects.toThrow('stopped')
  expect(bench.listScratchFiles()).toEqual([])
  expect(await bench.repository('app').resolve('stopped')).toBeUndefined()
})

it('connects to allowed registries only', async () => {
  await expect(
    bench.convert({ source: 'registry.invalid/a:1', target: `${host}/app:x` }),
  ).rejects.toMatchObject({ code: 'HOST_NOT_ALLOWED', side: 'source' })
})

it.each([405, 501])(
  'spools for a registry that rejects streams of unknown size with status %i',
  async (status) => {
    // The embedded registry behind a proxy that rejects PATCH, as some registries do.
    const { request } = await import('undici')
    await using strict = await HttpServer.start(async (received, response) => {
      if (received.method === 'PATCH') {
        response.writeHead(status, { connection: 'close' }).end()
        return
      }
      const body = ['PUT', 'POST'].includes(received.method) ? await received.body() : undefined
      const { host: _, 'content-length': __, connection: ___, ...headers } = received.headers
      const upstream = await request(`http://${host}${received.url}`, {
        method: received.method,
        headers,
        ...(body && { body }),
      })
      const { connection: ____, 'transfer-encoding': _____, ...forwarded } = upstream.headers
      response.writeHead(upstream.statusCode, forwarded)
      response.end(Buffer.from(await upstream.body.arrayBuffer()))
    })
    await using other = await ConversionBench.open(host, [strict.host])
    const report = await other.convert({ source: `${host}/app:1`, target: `${strict.host}/strict:${status}` })
    expect(
      await bench.verify({ reference: `${host}/strict:${status}`, source: `${host}/app:1` }),
    ).toMatchObject({
      verified: true,
    })
    expect(report.images[0]?.layers[0]?.action).toBe('streamed')
    expect(other.listScratchFiles()).toEqual([])
  },
)

describe('the tag', () => {
  it('moves within its guard, after all content was pushed, and is read back', async () => {
    const target = `${host}/guarded:1`
    const seen: unknown[] = []
    const report = await bench.convert(
      { source: `${host}/app:1`, target },
      {
        guardTag: async (move, action) => {
          const repository = bench.repository('guarded')
          const { manifest } = await manifestOf('guarded', move.digest)
          for (const { digest } of manifest.layers) expect(await repository.blobSize(digest)).toBeDefined()
          await action(async () => void seen.push(await repository.resolve('1')))
          seen.push((await repository.resolve('1'))?.digest)
          expect(move.target).toBe(target)
        },
      },
    )
    expect(seen).toEqual([undefined, report.digest])
  })

  it('does not move if the guard no longer allows it', async () => {
    const lost = Object.assign(new Error('lost'), { code: 'LEASE_LOST' })
    const guardTag = (_: unknown, action: (assertAllowed: () => Promise<void>) => Promise<void>) =>
      action(() => Promise.reject(lost))
    const converting = bench.convert({ source: `${host}/app:1`, target: `${host}/lost:1` }, { guardTag })
    await expect(converting).rejects.toMatchObject({ code: 'LEASE_LOST' })
    expect(await bench.repository('lost').resolve('1')).toBeUndefined()
  })

  /**
   * Forwards to the registry, except for the first reads of one tag after its put: these return
   * `staleDigests`.
   */
  const serveStaleTag = (tag: string, staleDigests: (string | undefined)[]) => {
    let isPut = false
    return HttpServer.start(async ({ method, url, headers, body }, response) => {
      const upstream = await fetch(`http://${host}${url}`, {
        method,
        headers: { ...(headers['content-type'] && { 'content-type': headers['content-type'] }) },
        ...(method === 'PUT' || method === 'POST' || method === 'PATCH' ? { body: await body() } : {}),
      })
      const isTag = url.endsWith(`/manifests/${tag}`)
      if (isTag && method === 'PUT') isPut = true
      const isStale = isTag && isPut && method === 'HEAD' && staleDigests.length > 0
      const digest = isStale ? staleDigests.shift() : undefined
      if (isStale && digest === undefined) return void response.writeHead(404).end()
      const staleHeader = digest === undefined ? {} : { 'docker-content-digest': digest }
      response.writeHead(upstream.status, { ...Object.fromEntries(upstream.headers), ...staleHeader })
      response.end(Buffer.from(await upstream.arrayBuffer()))
    })
  }

  it('is read again if it is missing or unchanged right after its put', async () => {
    const old = await pushImage(bench.repository('app'), { layers: [{ tar: top }] }, 'late')
    await using server = await serveStaleTag('late', [old.digest, undefined, old.digest])
    await using late = await ConversionBench.open(server.host)
    const target = `${server.host}/app:late`
    const report = await late.convert({ source: `${server.host}/app:1`, target, overwrite: true })
    expect((await bench.repository('app').resolve('late'))?.digest).toBe(report.digest)
  })

  it('that stays missing or unchanged fails the conversion with what was read', async () => {
    const old = await pushImage(bench.repository('app'), { layers: [{ tar: top }] }, 'stale')
    await using server = await serveStaleTag('stale', [undefined, ...Array(20).fill(old.digest)])
    await using stale = await ConversionBench.open(server.host)
    const target = `${server.host}/app:stale`
    const converting = stale.convert({ source: `${server.host}/app:1`, target, overwrite: true })
    await expect(converting).rejects.toMatchObject({
      code: 'TAG_CHANGED',
      retryable: true,
      message: expect.stringMatching(
        new RegExp(
          `pointed to ${old.digest} and was moved to sha256:.*; read back, it did not exist, then pointed to ${old.digest} \\(5 times\\), in \\d+ seconds: the registry accepted the change and does not show it`,
        ),
      ),
    })
  })

  it('that points to something else after its put fails the conversion', async () => {
    const other = await pushImage(bench.repository('other'), { layers: [{ tar: top }] }, '1')
    await using server = await serveStaleTag('raced', Array(20).fill(other.digest))
    await using raced = await ConversionBench.open(server.host)
    await expect(
      raced.convert({ source: `${server.host}/app:1`, target: `${server.host}/app:raced`, overwrite: true }),
    ).rejects.toMatchObject({
      code: 'TAG_CHANGED',
      retryable: true,
      message: expect.stringContaining(`pointed to ${other.digest} (6 times)`),
    })
  })
})
