import type { Readable } from 'node:stream'
import type { Digest } from '../../oci/digest.ts'
import { repositoryScope } from '../auth/scopes.ts'
import { RegistryError } from '../errors.ts'
import type { RegistryRequest } from '../registry-host.ts'
import type { RepositorySession, SessionRequest } from '../repository-session.ts'
import type { RegistryResponse } from '../transport/registry-response.ts'

/** A blob in another repository of the same registry. */
export type MountSource = { readonly digest: Digest; readonly from: string }

/** Statuses of a successful PUT or PATCH: 201 and 202 by the spec, the others as observed. */
const SUCCESS = [200, 201, 202, 204]
/** The bound of `OCI-Chunk-Min-Length`: a chunk is held in memory. */
const MAX_MIN_CHUNK_BYTES = 64 * 1024 * 1024
const CANCEL_TIMEOUT_MS = 2_000

/** An upload that a registry has opened. Each request goes to the Location of the response before it. */
export class UploadSession {
  readonly #session: RepositorySession
  /** The minimum size of every chunk but the last (`OCI-Chunk-Min-Length`), in bytes; 0 without one. */
  readonly minChunkBytes: number
  #location: URL

  private constructor(session: RepositorySession, response: RegistryResponse) {
    this.#session = session
    const minimum = Number(response.header('oci-chunk-min-length') ?? 0)
    this.minChunkBytes = minimum > 0 ? Math.min(minimum, MAX_MIN_CHUNK_BYTES) : 0
    this.#location = this.#nextLocation(response, undefined)
  }

  /** Opens an upload. @throws RegistryError */
  static async open(session: RepositorySession): Promise<UploadSession> {
    const response = await session.registry.send(
      openRequest(session, {
        operation: `upload to ${session.repository}`,
        target: 'blobs/uploads/',
        expect: [202],
      }),
    )
    return new UploadSession(session, response)
  }

  /**
   * Mounts a blob of another repository. A registry that cannot mount it opens an upload, which is returned.
   * @throws RegistryError
   */
  static async mount(
    session: RepositorySession,
    { digest, from }: MountSource,
  ): Promise<UploadSession | 'mounted'> {
    const operation = `mount blob ${digest} of ${from} in ${session.repository}`
    session.assertAllowed(from, 'read', operation)
    const response = await session.registry.send(
      openRequest(session, {
        operation,
        target: `blobs/uploads/?${new URLSearchParams({ mount: digest, from })}`,
        additionalScopes: [repositoryScope(from, 'pull')],
        expect: [201, 202],
      }),
    )
    return response.status === 201 ? 'mounted' : new UploadSession(session, response)
  }

  /**
   * Sends bytes in a PATCH. A stream is sent without Content-Length, as Docker's client does.
   * @throws RegistryError
   */
  async patch(
    body: Uint8Array | (() => Readable),
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const response = await this.#send({
      operation: `send bytes of a blob to ${this.#session.repository}`,
      method: 'PATCH',
      target: this.#location,
      headers: { ...headers, 'content-type': 'application/octet-stream' },
      body,
    })
    this.#location = this.#nextLocation(response, this.#location)
  }

  /** Commits the upload. @param content the whole blob, unless it was sent by PATCH @throws RegistryError */
  async commit(digest: Digest, content?: { body: () => Readable; size: number }): Promise<void> {
    await this.#send({
      operation: `commit blob ${digest} in ${this.#session.repository}`,
      method: 'PUT',
      target: withDigest(this.#location, digest),
      headers: {
        'content-length': String(content?.size ?? 0),
        ...(content && { 'content-type': 'application/octet-stream' }),
      },
      body: content?.body,
      freshToken: true,
    })
  }

  /** Returns the number of bytes that the registry has received. @throws RegistryError */
  async getOffset(): Promise<number> {
    const response = await this.#send({
      operation: `read the state of an upload to ${this.#session.repository}`,
      method: 'GET',
      target: this.#location,
      retry: true,
    })
    this.#location = this.#nextLocation(response, this.#location)
    const range = response.header('range') ?? ''
    const end = /^(?:bytes=)?0-(\d{1,15})$/.exec(range)?.[1]
    if (end === undefined) {
      throw this.#invalidResponse(`responded with the invalid range ${JSON.stringify(range)}`)
    }
    // `0-0` means no bytes or one byte; chunks of one byte are never sent.
    return end === '0' ? 0 : Number(end) + 1
  }

  /**
   * Cancels the upload as a courtesy to the registry: failures are ignored, and the session's signal does not
   * stop it.
   */
  async cancel(): Promise<void> {
    const request = this.#request({
      operation: `cancel an upload to ${this.#session.repository}`,
      method: 'DELETE',
      target: this.#location,
      expect: [200, 202, 204, 404],
    })
    try {
      const signal = AbortSignal.timeout(CANCEL_TIMEOUT_MS)
      await this.#session.registry.send({ ...request, signal })
    } catch {
      return
    }
  }

  #send(request: UploadRequest): Promise<RegistryResponse> {
    return this.#session.registry.send(this.#request(request))
  }

  #request(request: UploadRequest): RegistryRequest {
    return this.#session.request({ expect: SUCCESS, retry: false, ...request })
  }

  #nextLocation(response: RegistryResponse, current: URL | undefined): URL {
    const { registry, repository } = this.#session
    const location = response.header('location')
    if (location !== undefined) {
      return registry.resolveAddress(location, response.url, `upload to ${repository}`, 'Location')
    }
    if (current === undefined) throw this.#invalidResponse('opened an upload without a Location')
    return current
  }

  #invalidResponse(reason: string): RegistryError {
    const { host, repository } = this.#session
    return new RegistryError('INVALID_RESPONSE', { operation: `upload to ${repository}`, host, reason })
  }
}

type UploadRequest = Omit<SessionRequest, 'expect'> & Partial<Pick<SessionRequest, 'expect'>>

function openRequest(
  session: RepositorySession,
  request: Omit<SessionRequest, 'method' | 'headers'>,
): RegistryRequest {
  return session.request({ ...request, method: 'POST', headers: { 'content-length': '0' } })
}

/** Adds `digest` to an address without re-encoding its query, which some registries sign. */
function withDigest(location: URL, digest: Digest): URL {
  const url = new URL(location)
  const parameter = `digest=${encodeURIComponent(digest)}`
  url.search = url.search === '' ? `?${parameter}` : `${url.search}&${parameter}`
  return url
}
