import { type FastifyRequest, fastify } from 'fastify'
import { request } from 'undici'
import type { ChangeListener, PushListener } from '../../../src/embedded-registry/exchange.ts'
import {
  createEmbeddedRegistry,
  type EmbeddedRegistryOptions,
} from '../../../src/embedded-registry/plugin.ts'
import { registerBodyGuards } from '../../../src/http/connection/request-body.ts'
import { digestOf } from '../../../src/oci/digest.ts'
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../../src/oci/media-types.ts'

/** A request that a registry received, without its body. */
export type RecordedRequest = Pick<FastifyRequest, 'method' | 'url' | 'headers'>

type TestRegistryOptions = Pick<EmbeddedRegistryOptions, 'maxManifestBytes' | 'senderOf' | 'storageLimit'> & {
  /** Called for each request before it is handled. */
  readonly onRequest?: (request: RecordedRequest) => void
  readonly onChange?: ChangeListener
  readonly onPush?: PushListener
}

/** The embedded registry without the rest of the broker, on a free port of 127.0.0.1. */
export class TestRegistry implements AsyncDisposable {
  readonly url: string
  /** The bytes that a project stores, by the registry's own count. Zero for one in another process. */
  readonly storedBytes: (project: string) => Promise<number>
  readonly #close: () => Promise<void>

  constructor(url: string, close: () => Promise<void>, storedBytes = async (_project: string) => 0) {
    this.url = url
    this.storedBytes = storedBytes
    this.#close = close
  }

  static async start(root: string, options: TestRegistryOptions = {}): Promise<TestRegistry> {
    const { onRequest, ...registryOptions } = options
    const app = fastify({ forceCloseConnections: true })
    if (onRequest)
      app.addHook('onRequest', async ({ method, url, headers }) => onRequest({ method, url, headers }))
    // Reads the rest of refused bodies, as the broker does.
    registerBodyGuards(app, {})
    const registry = await createEmbeddedRegistry({ root, ...registryOptions })
    await app.register(registry)
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    return new TestRegistry(url, () => app.close(), registry.storedBytes)
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    return this.url.slice('http://'.length)
  }

  /** Sends a request, and returns the response with its complete body. */
  async request(method: string, path: string, options: Partial<Parameters<typeof request>[1]> = {}) {
    const response = await request(new URL(path, this.url), { ...options, method })
    const body = Buffer.from(await response.body.arrayBuffer())
    const header = (name: string) => String(response.headers[name] ?? '')
    return { status: response.statusCode, header, body, json: () => JSON.parse(body.toString()) }
  }

  /** Pushes a blob in a single request, and returns its descriptor. */
  async pushBlob(repository: string, bytes: Buffer, mediaType = OCI_LAYER) {
    const digest = digestOf(bytes)
    const { status } = await this.request('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
      body: bytes,
    })
    if (status !== 201) throw new Error(`pushing a blob failed with ${status}`)
    return { mediaType, digest, size: bytes.length }
  }

  /**
   * Pushes an image of one layer, with further fields in its manifest. Returns the descriptor of the
   * manifest.
   */
  async pushImage(repository: string, tag: string, fields: Record<string, unknown> = {}) {
    const config = await this.pushBlob(repository, Buffer.from('{}'), OCI_CONFIG)
    const layer = await this.pushBlob(repository, Buffer.from(`layer of ${tag}`))
    const bytes = manifestBytes({ config, layers: [layer], ...fields })
    const { status } = await this.putManifest(repository, tag, bytes)
    if (status !== 201) throw new Error(`pushing a manifest failed with ${status}`)
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

/** The bytes of an OCI manifest with the given fields. */
export function manifestBytes(fields: Record<string, unknown>): Buffer {
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, ...fields }))
}
