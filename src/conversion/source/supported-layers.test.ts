import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../../test/support/conversion-bench.ts'
import { buildTar, file } from '../../../test/support/images/build-tar.ts'
import { pushImage } from '../../../test/support/images/push-image.ts'
import { HttpServer } from '../../../test/support/servers/http-server.ts'
import { digestOf } from '../../oci/digest.ts'
import { DOCKER_CONFIG, DOCKER_INDEX, DOCKER_MANIFEST, OCI_LAYER_GZIP } from '../../oci/media-types.ts'
import { evaluateRecord } from '../evaluate.ts'
import { inspectImage } from '../inspect.ts'

const never = new AbortController().signal
const tar = buildTar(file('usr/bin/app', 'app'))
const URL = 'https://layers.test/fwlink/?linkid=1&clcid=0x409'
const FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
const SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws'

let bench: ConversionBench
beforeAll(async () => {
  bench = await ConversionBench.open()
})
afterAll(() => bench[Symbol.asyncDispose]())

/** Starts a registry with one Docker image, whose manifest describes its layer by `layer`. */
async function foreignRegistry(layer: object, hasBlob = false) {
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
    if (path.endsWith(digest) && hasBlob) return void response.end(blob)
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
    ['by its media type, with urls', { urls: [URL] }, JSON.stringify(URL)],
    ['by its media type, without urls', {}, 'names no urls'],
    ['only by its urls', { mediaType: OCI_LAYER_GZIP, urls: [URL] }, JSON.stringify(URL)],
    ['with many urls', { urls: Array(9).fill(URL) }, '6 more'],
  ])('that the registry does not have is rejected with its urls: %s', async (_, layer, words) => {
    await using foreign = await foreignRegistry(layer)
    const unsupported = { code: 'UNSUPPORTED_LAYER', message: expect.stringContaining(words) }
    const target = `${bench.host}/foreign:esgz`
    await expect(foreign.bench.convert({ source: foreign.image, target })).rejects.toMatchObject({
      ...unsupported,
      side: 'source',
    })
    await expect(foreign.bench.verify({ reference: foreign.image })).rejects.toMatchObject(unsupported)
    const evaluating = evaluateRecord(
      { entries: [] },
      { image: foreign.image },
      foreign.bench.services,
      never,
    )
    await expect(evaluating).rejects.toMatchObject(unsupported)
    const inspected = await inspectImage(foreign.image, foreign.bench.services, never)
    expect(inspected.images[0]?.layers[0]).toMatchObject({ problem: unsupported.message })
    expect(foreign.server.log.filter((line) => line.includes('fwlink'))).toEqual([])
  })

  it('that the registry has is converted like any other', async () => {
    await using foreign = await foreignRegistry({ urls: [URL] }, true)
    const target = `${bench.host}/foreign:there`
    const report = await foreign.bench.convert({ source: foreign.image, target })
    expect(report.images[0]?.layers).toHaveLength(1)
  })
})

describe('a layer with an unsupported compression', () => {
  const xz = Buffer.from('fd377a585a000004e6d6b4460200210116000000', 'hex')
  const bzip2 = Buffer.from('425a683931415926535900000000', 'hex')

  it.each([
    ['xz', xz],
    ['bzip2', bzip2],
  ])('is rejected by its content, with the name of the compression: %s', async (name, compressed) => {
    const repository = bench.repository(`compressed-${name}`)
    const source = `${bench.host}/compressed-${name}:1`
    await pushImage(repository, { layers: [{ tar, compress: () => compressed }] }, '1')
    const unsupported = {
      code: 'UNSUPPORTED_LAYER',
      message: expect.stringContaining(`compressed with ${name}`),
    }
    for (const record of [undefined, { inline: [{ path: 'usr/bin/app' }] }]) {
      const converting = bench.convert({ source, target: `${source}-esgz`, ...(record && { record }) })
      await expect(converting).rejects.toMatchObject({ ...unsupported, retryable: false })
    }
    const verified = await bench.verify({ reference: source })
    expect(verified.images[0]?.layers[0]).toMatchObject({ problem: unsupported.message })
  })

  it('is rejected by its media type before the conversion starts', async () => {
    const mediaType = 'application/vnd.oci.image.layer.v1.tar+xz'
    await pushImage(bench.repository('typed'), { layers: [{ tar, mediaType }] }, '1')
    const converting = bench.convert({ source: `${bench.host}/typed:1`, target: `${bench.host}/typed:esgz` })
    await expect(converting).rejects.toMatchObject({
      code: 'UNSUPPORTED_LAYER',
      message: expect.stringContaining('compressed with xz'),
    })
  })
})

describe("an image of Docker's schema 1", () => {
  const signed = Buffer.from(
    JSON.stringify({ schemaVersion: 1, name: 'app', fsLayers: [], signatures: [{}] }),
  )

  it.each([SCHEMA_1, 'application/json'])('is rejected with advice, served as %s', async (type) => {
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

  it('is rejected in an index, too', async () => {
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
