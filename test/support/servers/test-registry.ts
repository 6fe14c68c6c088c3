import { type FastifyRequest, fastify } from 'fastify'
import { request } from 'undici'
import { createEmbeddedRegistry } from '../../../src/embedded-registry/plugin.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../../src/oci/media-types.ts'

/** A request that a registry got, its body left out. */
export type RecordedRequest = Pick<FastifyRequest, 'method' | 'url' | 'headers'>

type TestRegistryOptions = {
  readonly maxManifestBytes?: number
  readonly onRequest?: (asked: RecordedRequest) => void
}

/** The embedded registry, served alone on a free port of 127.0.0.1. */
export class TestRegistry implements AsyncDisposable {
  readonly url: string
  readonly #close: () => Promise<void>

  constructor(url: string, close: () => Promise<void>) {
    this.url = url
    this.#close = close
  }

  /** @param options.onRequest is told of every request, before it is answered */
  static async start(root: string, options: TestRegistryOptions = {}): Promise<TestRegistry> {
    const { onRequest, ...more } = options
    const app = fastify({ forceCloseConnections: true })
    if (onRequest)
      app.addHook('onRequest', async ({ method, url, headers }) => onRequest({ method, url, headers }))
    await app.register(await createEmbeddedRegistry({ root, ...more }))
    return new TestRegistry(await app.listen({ host: '127.0.0.1', port: 0 }), () => app.close())
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    return this.url.slice('http://'.length)
  }

  /** One request; the answer's status, headers and whole body. */
  async request(method: string, path: string, options: Partial<Parameters<typeof request>[1]> = {}) {
    const answer = await request(new URL(path, this.url), { ...options, method })
    const body = Buffer.from(await answer.body.arrayBuffer())
    const header = (name: string) => String(answer.headers[name] ?? '')
    return { status: answer.statusCode, header, body, json: () => JSON.parse(body.toString()) }
  }

  /** Pushes a blob in one request and returns its descriptor. */
  async pushBlob(repository: string, bytes: Buffer, mediaType = OCI_LAYER) {
    const digest = digestOf(bytes)
    const { status } = await this.request('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
      body: bytes,
    })
    if (status !== 201) throw new Error(`pushing a blob answered ${status}`)
    return { mediaType, digest, size: bytes.length }
  }

  /** Pushes an image of one layer, with these further fields in its manifest; returns the manifest's descriptor. */
  async pushImage(repository: string, tag: string, fields: Record<string, unknown> = {}) {
    const config = await this.pushBlob(repository, Buffer.from('{}'), OCI_CONFIG)
    const layer = await this.pushBlob(repository, Buffer.from(`layer of ${tag}`))
    const bytes = manifestBytes({ config, layers: [layer], ...fields })
    const { status } = await this.putManifest(repository, tag, bytes)
    if (status !== 201) throw new Error(`pushing a manifest answered ${status}`)
    return { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length }
  }

  putManifest(repository: string, reference: string, bytes: Buffer, mediaType: string = OCI_MANIFEST) {
    const headers = { 'content-type': mediaType }
    return this.request('PUT', `/v2/${repository}/manifests/${reference}`, { body: bytes, headers })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }
}

/** The bytes of an OCI manifest with these fields. */
export function manifestBytes(fields: Record<string, unknown>): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, ...fields }))
}
