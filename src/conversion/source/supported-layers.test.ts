import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../../test/support/conversion.ts'
import { HttpServer } from '../../../test/support/http-server.ts'
import { pushImage } from '../../../test/support/image-of.ts'
import { file, tarOf } from '../../../test/support/tar-of.ts'
import { digestOf } from '../../oci/digest.ts'
import { DOCKER_CONFIG, DOCKER_INDEX, DOCKER_MANIFEST, OCI_LAYER_GZIP } from '../../oci/media-types.ts'
import { evaluateRecord } from '../evaluate.ts'
import { inspectImage } from '../inspect.ts'

const never = new AbortController().signal
const tar = tarOf(file('usr/bin/app', 'app'))
const URL = 'https://layers.test/fwlink/?linkid=1&clcid=0x409'
const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
const SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws'

let bench: ConversionBench
beforeAll(async () => {
  bench = await ConversionBench.open()
})
afterAll(() => bench[Symbol.asyncDispose]())

/** A registry with one image, of Docker's kind, and nothing to say of one of its layers but its descriptor. */
async function foreignRegistry(layer: object, isThere = false) {
  const blob = gzipSync(tar)
  const digest = digestOf(blob)
  const config = Buffer.from(
    JSON.stringify({
      os: 'windows',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    }),
  )
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: DOCKER_MANIFEST,
      config: { mediaType: DOCKER_CONFIG, digest: digestOf(config), size: config.length },
      layers: [{ mediaType: FOREIGN, digest, size: blob.length, ...layer }],
    }),
  )
  const server = await HttpServer.start(({ path }, response) => {
    if (path.endsWith(digestOf(config))) return void response.end(config)
    if (path.endsWith(digest) && isThere) return void response.end(blob)
    if (!path.includes('/manifests/')) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': DOCKER_MANIFEST }).end(manifest)
  })
  const opened = await ConversionBench.open(bench.host, [server.host])
  const dispose = async () => {
    await opened[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  }
  return { server, bench: opened, image: `${server.host}/app:1`, [Symbol.asyncDispose]: dispose }
}

describe('a foreign layer', () => {
  it.each([
    ['by its type, with urls', { urls: [URL] }, JSON.stringify(URL)],
    ['by its type, without urls', {}, 'names no urls'],
    ['by its urls alone', { mediaType: OCI_LAYER_GZIP, urls: [URL] }, JSON.stringify(URL)],
    ['with many urls', { urls: Array(9).fill(URL) }, '6 more'],
  ])('that the registry does not have is named with its urls: %s', async (_, layer, words) => {
    await using there = await foreignRegistry(layer)
    const refused = { code: 'UNSUPPORTED_LAYER', message: expect.stringContaining(words) }
    const target = `${bench.host}/foreign:esgz`
    await expect(there.bench.convert({ source: there.image, target })).rejects.toMatchObject({
      ...refused,
      side: 'source',
    })
    await expect(there.bench.verify({ reference: there.image })).rejects.toMatchObject(refused)
    const evaluating = evaluateRecord({ entries: [] }, { image: there.image }, there.bench.services, never)
    await expect(evaluating).rejects.toMatchObject(refused)
    const inspected = await inspectImage(there.image, there.bench.services, never)
    expect(inspected.images[0]?.layers[0]).toMatchObject({ problem: refused.message })
    expect(there.server.log.filter((line) => line.includes('fwlink'))).toEqual([])
  })

  it('that the registry has is converted like any other', async () => {
    await using there = await foreignRegistry({ urls: [URL] }, true)
    const target = `${bench.host}/foreign:there`
    const report = await there.bench.convert({ source: there.image, target })
    expect(report.images[0]?.layers).toHaveLength(1)
  })
})

describe('a layer that is packed with something that is not read', () => {
  const xz = Buffer.from('fd377a585a000004e6d6b4460200210116000000', 'hex')
  const bzip2 = Buffer.from('425a683931415926535900000000', 'hex')

  it.each([
    ['xz', xz],
    ['bzip2', bzip2],
  ])('is refused by the name of %s, whatever its media type', async (name, packed) => {
    const repository = bench.repository(`packed-${name}`)
    const source = `${bench.host}/packed-${name}:1`
    await pushImage(repository, { layers: [{ tar, pack: () => packed }] }, '1')
    const refused = { code: 'UNSUPPORTED_LAYER', message: expect.stringContaining(`packed with ${name}`) }
    for (const record of [undefined, { inline: [{ path: 'usr/bin/app' }] }]) {
      const converting = bench.convert({ source, target: `${source}-esgz`, ...(record && { record }) })
      await expect(converting).rejects.toMatchObject({ ...refused, retryable: false })
    }
    const verified = await bench.verify({ reference: source })
    expect(verified.images[0]?.layers[0]).toMatchObject({ problem: refused.message })
  })

  it('is refused by the name that its media type has, before work begins', async () => {
    const mediaType = 'application/vnd.oci.image.layer.v1.tar+xz'
    await pushImage(bench.repository('typed'), { layers: [{ tar, mediaType }] }, '1')
    const converting = bench.convert({ source: `${bench.host}/typed:1`, target: `${bench.host}/typed:esgz` })
    await expect(converting).rejects.toMatchObject({
      code: 'UNSUPPORTED_LAYER',
      message: expect.stringContaining('packed with xz'),
    })
  })
})

describe("an image of Docker's schema 1", () => {
  const signed = Buffer.from(
    JSON.stringify({ schemaVersion: 1, name: 'app', fsLayers: [], signatures: [{}] }),
  )

  it.each([SCHEMA_1, 'application/json'])('is told, and what to do about it, served as %s', async (type) => {
    await using server = await HttpServer.start(
      (_, response) => void response.writeHead(200, { 'content-type': type }).end(signed),
    )
    await using other = await ConversionBench.open(bench.host, [server.host])
    const target = `${bench.host}/schema1:esgz`
    for (const source of [`${server.host}/app:1`, `${server.host}/app@${digestOf('without signatures')}`]) {
      await expect(other.convert({ source, target })).rejects.toMatchObject({
        code: 'INVALID_DOCUMENT',
        side: 'source',
        message: expect.stringMatching(/Docker's schema 1.*push it again/),
      })
    }
  })

  it('is told in an index, too', async () => {
    const digest = digestOf('without signatures')
    const child = { mediaType: SCHEMA_1, digest, size: signed.length }
    const index = { schemaVersion: 2, mediaType: DOCKER_INDEX, manifests: [child] }
    await using server = await HttpServer.start((_, response) => {
      response.writeHead(200, { 'content-type': DOCKER_INDEX }).end(JSON.stringify(index))
    })
    await using other = await ConversionBench.open(bench.host, [server.host])
    const converting = other.convert({ source: `${server.host}/app:1`, target: `${bench.host}/s1:esgz` })
    await expect(converting).rejects.toMatchObject({
      code: 'NOT_AN_IMAGE',
      message: expect.stringContaining("Docker's schema 1"),
    })
  })
})
