import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConversionBench } from '../../test/support/conversion.ts'
import { HttpServer, type Received } from '../../test/support/http-server.ts'
import { pushImage, pushIndex } from '../../test/support/image-of.ts'
import { dir, file, tarOf } from '../../test/support/tar-of.ts'
import { digestOf } from '../oci/digest.ts'
import { Index, parseDocument } from '../oci/documents.ts'
import { OCI_INDEX } from '../oci/media-types.ts'

const layers = [{ tar: tarOf(dir('usr'), file('usr/a', 'a'.repeat(5000))) }]
const other = [{ tar: tarOf(dir('etc'), file('etc/b', 'b')) }]

let bench: ConversionBench
let host: string
beforeAll(async () => {
  bench = await ConversionBench.open()
  host = bench.host
})
afterAll(() => bench[Symbol.asyncDispose]())

type More = Omit<Parameters<ConversionBench['convert']>[0], 'source' | 'target'>
const convert = (name: string, more: More = {}, tag = 'esgz') =>
  bench.convert({ source: `${host}/${name}:a`, target: `${host}/${name}:${tag}`, ...more })

describe('a child that the registry does not have', () => {
  async function sparse(name: string) {
    const amd = await pushImage(bench.repository(name), { layers })
    const absent = await pushImage(bench.repository(name), { layers: other, architecture: 'arm64' })
    await pushIndex(bench.repository(name), [absent, amd], 'a')
    await bench.repository(name).deleteManifest(absent.digest)
    return absent
  }

  it('is left out and named, unless it is asked for', async () => {
    const absent = await sparse('sparse')
    const report = await convert('sparse')
    expect(report.dropped).toEqual([{ digest: absent.digest, reason: expect.stringContaining('404') }])
    const { bytes } = await bench.repository('sparse').manifest('esgz')
    expect(parseDocument(Index, bytes, 'esgz').manifests).toHaveLength(1)
    await expect(convert('sparse', { platforms: ['linux/arm64'] }, 'arm')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      side: 'source',
    })
  })

  it('is left out of the tag of the source, too, where the registry takes no such index', async () => {
    const absent = await sparse('sparse-place')
    const report = await convert('sparse-place', { overwrite: true }, 'a')
    expect(report).toMatchObject({ kept: [], dropped: [{ digest: absent.digest }] })
  })

  /** Hands a request on to the embedded registry. */
  async function passOn({ url, method, headers, body }: Received) {
    const sent = ['PUT', 'POST', 'PATCH'].includes(method) ? await body() : undefined
    const answer = await fetch(`http://${host}${url}`, {
      method,
      headers: { ...(headers['content-type'] && { 'content-type': headers['content-type'] }) },
      ...(sent && { body: sent }),
    })
    return { sent, answer, bytes: Buffer.from(await answer.arrayBuffer()) }
  }

  it.each([401, 403, 410, 500])('fails on %i: that is no word on what is there', async (status) => {
    const name = `unclear-${status}`
    const absent = await sparse(name)
    await using server = await HttpServer.start(async (received, response) => {
      const { answer, bytes } = await passOn(received)
      const isAbsent = received.path.endsWith(absent.digest)
      response.writeHead(isAbsent ? status : answer.status, Object.fromEntries(answer.headers)).end(bytes)
    })
    await using behind = await ConversionBench.open(server.host)
    const target = `${server.host}/${name}:esgz`
    await expect(behind.convert({ source: `${server.host}/${name}:a`, target })).rejects.toMatchObject({
      side: 'source',
    })
    expect(await bench.repository(name).resolve('esgz')).toBeUndefined()
  })

  it('stays under the tag of the source where the registry takes that', async () => {
    const absent = await sparse('lenient')
    // A registry that takes indexes with entries for what it does not have.
    const taken = new Map<string, Buffer>()
    await using server = await HttpServer.start(async (received, response) => {
      const { path, method } = received
      const own = taken.get(path)
      if (own && method !== 'PUT') {
        const digest = { 'docker-content-digest': digestOf(own), 'content-length': own.length }
        response
          .writeHead(200, { 'content-type': OCI_INDEX, ...digest })
          .end(method === 'GET' ? own : undefined)
        return
      }
      const { sent, answer, bytes } = await passOn(received)
      const isTaken = sent !== undefined && method === 'PUT' && answer.status === 404
      if (isTaken) taken.set(path, sent)
      response.writeHead(isTaken ? 201 : answer.status, Object.fromEntries(answer.headers)).end(bytes)
    })
    await using behind = await ConversionBench.open(server.host)
    const target = `${server.host}/lenient:a`
    const report = await behind.convert({ source: target, target, overwrite: true })
    expect(report).toMatchObject({ kept: [{ digest: absent.digest }], dropped: [] })
    const index = parseDocument(Index, taken.get('/v2/lenient/manifests/a') ?? Buffer.from(''), 'a')
    expect(index.manifests[0]).toEqual(absent)
  })

  it('may be an attestation that should be kept', async () => {
    const amd = await pushImage(bench.repository('gone-attestation'), { layers })
    const about = {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': amd.digest,
    }
    const attestation = {
      ...(await pushImage(bench.repository('gone-attestation'), { layers: other })),
      annotations: about,
    }
    await pushIndex(bench.repository('gone-attestation'), [amd, attestation], 'a')
    await bench.repository('gone-attestation').deleteManifest(attestation.digest)
    const report = await convert('gone-attestation', { options: { attestations: 'keep' } })
    expect(report).toMatchObject({ kept: [], dropped: [{ digest: attestation.digest }] })
  })
})
