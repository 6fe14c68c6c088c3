import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion-bench.ts'
import { buildTar, dir, file } from '../../test/support/images/build-tar.ts'
import { pushImage, pushIndex } from '../../test/support/images/push-image.ts'
import { HttpServer, type ReceivedRequest } from '../../test/support/servers/http-server.ts'
import { digestOf } from '../oci/digest.ts'
import { Index, parseDocument } from '../oci/documents.ts'
import { OCI_INDEX } from '../oci/media-types.ts'

const layers = [{ tar: buildTar(dir('usr'), file('usr/a', 'a'.repeat(5000))) }]
const otherLayers = [{ tar: buildTar(dir('etc'), file('etc/b', 'b')) }]

let bench: ConversionBench
let host: string
beforeAll(async () => {
  bench = await ConversionBench.open()
  host = bench.host
})
afterAll(() => bench[Symbol.asyncDispose]())

type RequestFields = Omit<Parameters<ConversionBench['convert']>[0], 'source' | 'target'>
const convert = (name: string, fields: RequestFields = {}, tag = 'esgz') =>
  bench.convert({ source: `${host}/${name}:a`, target: `${host}/${name}:${tag}`, ...fields })

describe('a child that the registry does not have', () => {
  /** Pushes an index of two images, and deletes the second one. */
  async function pushSparseIndex(name: string) {
    const amd = await pushImage(bench.repository(name), { layers })
    const absent = await pushImage(bench.repository(name), { layers: otherLayers, architecture: 'arm64' })
    await pushIndex(bench.repository(name), [absent, amd], 'a')
    await bench.repository(name).deleteManifest(absent.digest)
    return absent
  }

  it('is dropped and reported, and fails the conversion if it is requested', async () => {
    const absent = await pushSparseIndex('sparse')
    const report = await convert('sparse')
    expect(report.dropped).toEqual([{ digest: absent.digest, reason: expect.stringContaining('404') }])
    const { bytes } = await bench.repository('sparse').getManifest('esgz')
    expect(parseDocument(Index, bytes, 'esgz').manifests).toHaveLength(1)
    await expect(convert('sparse', { platforms: ['linux/arm64'] }, 'arm')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      side: 'source',
    })
  })

  it('is dropped from a result that replaces the source if the registry rejects such an index', async () => {
    const absent = await pushSparseIndex('sparse-place')
    const report = await convert('sparse-place', { overwrite: true }, 'a')
    expect(report).toMatchObject({ kept: [], dropped: [{ digest: absent.digest }] })
  })

  /** Forwards a request to the embedded registry. */
  async function forward({ url, method, headers, body }: ReceivedRequest) {
    const requestBody = ['PUT', 'POST', 'PATCH'].includes(method) ? await body() : undefined
    const upstream = await fetch(`http://${host}${url}`, {
      method,
      headers: { ...(headers['content-type'] && { 'content-type': headers['content-type'] }) },
      ...(requestBody && { body: requestBody }),
    })
    return { requestBody, upstream, bytes: Buffer.from(await upstream.arrayBuffer()) }
  }

  it.each([401, 403, 410, 500])(
    'fails the conversion on status %i, which does not mean that it is missing',
    async (status) => {
      const name = `unclear-${status}`
      const absent = await pushSparseIndex(name)
      await using server = await HttpServer.start(async (received, response) => {
        const { upstream, bytes } = await forward(received)
        const isAbsent = received.path.endsWith(absent.digest)
        response
          .writeHead(isAbsent ? status : upstream.status, Object.fromEntries(upstream.headers))
          .end(bytes)
      })
      await using proxied = await ConversionBench.open(server.host)
      const target = `${server.host}/${name}:esgz`
      await expect(proxied.convert({ source: `${server.host}/${name}:a`, target })).rejects.toMatchObject({
        side: 'source',
      })
      expect(await bench.repository(name).resolve('esgz')).toBeUndefined()
    },
  )

  it('is kept in a result that replaces the source if the registry accepts that', async () => {
    const absent = await pushSparseIndex('lenient')
    // A registry that accepts indexes with entries for manifests that it does not have.
    const accepted = new Map<string, Buffer>()
    await using server = await HttpServer.start(async (received, response) => {
      const { path, method } = received
      const stored = accepted.get(path)
      if (stored && method !== 'PUT') {
        const digest = { 'docker-content-digest': digestOf(stored), 'content-length': stored.length }
        response
          .writeHead(200, { 'content-type': OCI_INDEX, ...digest })
          .end(method === 'GET' ? stored : undefined)
        return
      }
      const { requestBody, upstream, bytes } = await forward(received)
      const isSparse = requestBody !== undefined && method === 'PUT' && upstream.status === 404
      if (isSparse) accepted.set(path, requestBody)
      response.writeHead(isSparse ? 201 : upstream.status, Object.fromEntries(upstream.headers)).end(bytes)
    })
    await using proxied = await ConversionBench.open(server.host)
    const target = `${server.host}/lenient:a`
    const report = await proxied.convert({ source: target, target, overwrite: true })
    expect(report).toMatchObject({ kept: [{ digest: absent.digest }], dropped: [] })
    const index = parseDocument(Index, accepted.get('/v2/lenient/manifests/a') ?? Buffer.from(''), 'a')
    expect(index.manifests[0]).toEqual(absent)
  })

  it('may be an attestation that options keep', async () => {
    const amd = await pushImage(bench.repository('gone-attestation'), { layers })
    const about = {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': amd.digest,
    }
    const attestation = {
      ...(await pushImage(bench.repository('gone-attestation'), { layers: otherLayers })),
      annotations: about,
    }
    await pushIndex(bench.repository('gone-attestation'), [amd, attestation], 'a')
    await bench.repository('gone-attestation').deleteManifest(attestation.digest)
    const report = await convert('gone-attestation', { options: { attestations: 'keep' } })
    expect(report).toMatchObject({ kept: [], dropped: [{ digest: attestation.digest }] })
  })
})
