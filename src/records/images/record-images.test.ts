import { join } from 'node:path'
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildTar, file } from '../../../test/support/images/build-tar.ts'
import { pushImage, pushIndex, type TestLayer } from '../../../test/support/images/push-image.ts'
import { TestRegistry } from '../../../test/support/servers/test-registry.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { digestOf } from '../../oci/digest.ts'
import { DOCKER_LAYER_GZIP, DOCKER_MANIFEST, OCI_LAYER } from '../../oci/media-types.ts'
import { RegistryClient } from '../../registry/client.ts'
import { describeRecordImage, listRecordImages } from './list-record-images.ts'
import { packRecordImage, RECORD_FILE_NAME } from './pack-record-image.ts'
import { publishRecordImage } from './publish-record-image.ts'
import { readRecordImage } from './read-record-image.ts'

const entries = [{ path: 'usr/bin/go' }, { path: 'etc/passwd', manifestDigest: digestOf('m'), layerIndex: 1 }]
const content = `{"path":"usr/bin/go"}\n{"path":"etc/passwd","manifestDigest":"${digestOf('m')}","layerIndex":1}\n`
const maxBytes = 100_000

const stack = new AsyncDisposableStack()
let client: RegistryClient
let host: string
beforeAll(async () => {
  const folder = stack.use(await temporaryFolder())
  host = stack.use(await TestRegistry.start(join(folder.path, 'registry'))).host
  client = stack.use(new RegistryClient({ plainHttp: [host] }))
})
afterAll(() => stack.disposeAsync())
const repository = (name: string) => client.repository({ host, repository: name })

describe('packing a record image', () => {
  it('counts all uploads behind a merged record, also those that its provenance does not list', async () => {
    const mention = { id: 'a', digest: digestOf('a'), createdAt: '2026-01-01T00:00:00Z' }
    const provenance = { kind: 'merge' as const, records: [mention], runs: [mention], runCount: 5000 }
    const { manifest } = await packRecordImage(entries, { provenance })
    const annotation = JSON.parse(manifest.toString()).annotations['io.record-broker.record.provenance']
    expect(JSON.parse(annotation)).toMatchObject({ runs: [mention.digest], runCount: 5000 })
  })

  it('returns the image of pull request 642, with reproducible bytes', async () => {
    const packed = await packRecordImage(entries, { image: 'r.test/a:1', workload: 'go' })
    expect(JSON.parse(packed.manifest.toString())).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf(packed.config.bytes),
        size: packed.config.bytes.length,
      },
      layers: [
        {
          mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
          digest: digestOf(packed.layer.bytes),
          size: packed.layer.bytes.length,
          annotations: { 'org.opencontainers.image.title': 'stargz.record.json.tar.gz' },
        },
      ],
      annotations: {
        'io.record-broker.record.entries': '2',
        'io.record-broker.record.image': 'r.test/a:1',
        'io.record-broker.record.workload': 'go',
      },
    })
    const tar = gunzipSync(packed.layer.bytes)
    expect(tar.subarray(0, RECORD_FILE_NAME.length).toString()).toBe(RECORD_FILE_NAME)
    expect(tar.subarray(512, 512 + content.length).toString()).toBe(content)
    expect(JSON.parse(packed.config.bytes.toString()).rootfs.diff_ids).toEqual([digestOf(tar)])
    const again = await packRecordImage(entries, { workload: 'go', image: 'r.test/a:1' })
    expect(again.manifestDescriptor).toEqual(packed.manifestDescriptor)
  })

  it('rejects globs, which other readers would read as paths', async () => {
    await expect(packRecordImage([{ path: 'a/*', glob: true }])).rejects.toMatchObject({
      code: 'RECORD_HAS_GLOBS',
    })
  })
})

describe('publishing a record image', () => {
  it('publishes a readable record, and moves a tag only with overwrite', async () => {
    const target = repository('team/app')
    const first = await publishRecordImage(target, entries, {
      tag: 'record-1-go',
      image: 'r.test/a:1',
      workload: 'go',
    })
    const again = await publishRecordImage(target, entries, {
      tag: 'record-1-go',
      image: 'r.test/a:1',
      workload: 'go',
    })
    expect(again.digest).toBe(first.digest)
    expect(await readRecordImage(target, 'record-1-go', { maxBytes })).toMatchObject({
      digest: first.digest,
      image: 'r.test/a:1',
      workload: 'go',
      entries,
    })
    const other = [{ path: 'other' }]
    await expect(publishRecordImage(target, other, { tag: 'record-1-go' })).rejects.toMatchObject({
      code: 'TAG_EXISTS',
    })
    const moved = await publishRecordImage(target, other, { tag: 'record-1-go', overwrite: true })
    expect((await target.resolve('record-1-go'))?.digest).toBe(moved.digest)
  })

  it('publishes a referrer of the profiled image', async () => {
    const target = repository('team/referred')
    const subject = await pushImage(target, { layers: [{ tar: buildTar(file('a')) }] }, '1')
    const { digest } = await publishRecordImage(target, entries, { tag: 'record-1-x', subject })
    expect((await target.listReferrers(subject.digest)).map((one) => one.digest)).toEqual([digest])
    expect(await describeRecordImage(target, 'record-1-x')).toMatchObject({
      subject: subject.digest,
      entryCount: 2,
    })
  })
})

describe('images of other tools', () => {
  const record: TestLayer = { tar: buildTar(file(RECORD_FILE_NAME, content)) }
  it.each([
    ['gzip', { ...record }],
    ['Docker', { ...record, mediaType: DOCKER_LAYER_GZIP }],
    ['zstd with a gzip type', { ...record, compress: (tar: Buffer) => zstdCompressSync(tar) }],
    ['uncompressed tar', { ...record, mediaType: OCI_LAYER, compress: (tar: Buffer) => tar }],
    ['a ./ in the name', { tar: buildTar(file(`./${RECORD_FILE_NAME}`, content)) }],
  ])('are read: %s', async (name, layer) => {
    const target = repository(`others/${name.replace(/\W+/g, '').toLowerCase()}`)
    const fields = name === 'Docker' ? { mediaType: DOCKER_MANIFEST } : {}
    const config = { created: '2022-02-15T00:00:00Z' }
    const image = await pushImage(
      target,
      { layers: [layer], manifestFields: fields, configFields: config },
      'record-1-x',
    )
    expect(await readRecordImage(target, 'record-1-x', { maxBytes })).toMatchObject({ entries })
    await pushIndex(target, [image], 'indexed')
    expect(await readRecordImage(target, 'indexed', { maxBytes })).toMatchObject({
      digest: image.digest,
      entries,
    })
    const described = await describeRecordImage(target, 'record-1-x')
    expect(described).toMatchObject({ digest: image.digest, createdAt: '2022-02-15T00:00:00Z' })
  })

  it('are distinguished from images without a record', async () => {
    const target = repository('others/mixed')
    await pushImage(target, { layers: [{ tar: buildTar(file('usr/bin/app', 'app')) }] }, 'app')
    await pushImage(target, { layers: [record, record] }, 'two')
    await pushImage(target, { layers: [record] }, 'record-2-go')
    await pushImage(
      target,
      { layers: [{ tar: Buffer.from('not a tar'), compress: (bytes) => gzipSync(bytes) }] },
      'broken',
    )
    await publishRecordImage(target, entries, {
      tag: 'ours',
      workload: 'py',
      image: `${host}/others/mixed:2`,
    })
    const listed = await Array.fromAsync(listRecordImages(target))
    expect(listed.map(({ tag }) => tag)).toEqual(['ours', 'record-2-go'])
    for (const tag of ['app', 'two', 'broken']) {
      expect(await describeRecordImage(target, tag)).toBeUndefined()
      await expect(readRecordImage(target, tag, { maxBytes })).rejects.toMatchObject({
        code: 'NOT_A_RECORD_IMAGE',
      })
    }
    expect(await Array.fromAsync(listRecordImages(repository('no/such')))).toEqual([])
  })

  it('are bounded, compressed and decompressed', async () => {
    const target = repository('others/large')
    const bomb = buildTar(file(RECORD_FILE_NAME, '{"path":"a"}\n'.repeat(200_000)))
    await pushImage(target, { layers: [{ tar: bomb }] }, 'bomb')
    await expect(readRecordImage(target, 'bomb', { maxBytes })).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
    })
    await expect(readRecordImage(target, 'bomb', { maxBytes: 100 })).rejects.toMatchObject({
      code: 'RECORD_TOO_LARGE',
    })
  })
})
