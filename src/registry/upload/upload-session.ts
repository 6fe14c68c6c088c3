import type { Readable } from 'node:stream'
import type { Digest } from '../../oci/digest.ts'
import { pullScope, pushScope } from '../auth/scopes.ts'
import { RegistryError } from '../errors.ts'
import type { RegistryHost } from '../host.ts'
import type { RegistryResponse } from '../transport/response.ts'

/** A blob in another repository of the same registry, to be taken over. */
export type Mount = { readonly digest: Digest; readonly from: string }

/** What registries answer to a PUT or PATCH that worked: the spec's 201 and 202, and what else is seen. */
const DONE = [200, 201, 202, 204]
/** A registry that wants larger chunks than this does not get them: a chunk is held in memory. */
const LARGEST_CHUNK_BYTES = 64 * 1024 * 1024
const CANCEL_MS = 2_000

/** An upload that a registry has opened. The address to speak to next is always that of its last answer. */
export class UploadSession {
  readonly #registry: RegistryHost
  readonly #repository: string
  readonly #signal: AbortSignal | undefined
  /** Least size in bytes of every chunk but the last (`OCI-Chunk-Min-Length`), capped. */
  readonly leastChunk: number
  #location: URL

  private constructor(
    registry: RegistryHost,
    repository: string,
    signal: AbortSignal | undefined,
    opened: RegistryResponse,
  ) {
    this.#registry = registry
    this.#repository = repository
    this.#signal = signal
    const least = Number(opened.header('oci-chunk-min-length') ?? 0)
    this.leastChunk = least > 0 ? Math.min(least, LARGEST_CHUNK_BYTES) : 0
    this.#location = this.#next(opened, undefined)
  }

  /**
   * Opens an upload; with `mount`, a registry that has the blob elsewhere answers `mounted` instead.
   * @throws RegistryError
   */
  static async open(
    registry: RegistryHost,
    repository: string,
    options: { mount?: Mount | undefined; signal?: AbortSignal | undefined },
  ): Promise<UploadSession | 'mounted'> {
    const { mount, signal } = options
    const query = mount && new URLSearchParams({ mount: mount.digest, from: mount.from })
    const answer = await registry.tell({
      operation: mount
        ? `mount blob ${mount.digest} of ${mount.from} in ${repository}`
        : `upload to ${repository}`,
      method: 'POST',
      url: `/v2/${repository}/blobs/uploads/${query ? `?${query}` : ''}`,
      scopes: [pushScope(repository), ...(mount ? [pullScope(mount.from)] : [])],
      headers: { 'content-length': '0' },
      expect: mount ? [201, 202] : [202],
      signal,
    })
    if (answer.status === 201) return 'mounted'
    return new UploadSession(registry, repository, signal, answer)
  }

  /** Sends bytes in a PATCH. A stream goes without Content-Length, as Docker's client does it. */
  async patch(
    body: Uint8Array | (() => Readable),
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const answer = await this.#registry.tell({
      ...this.#request('send bytes of a blob to'),
      method: 'PATCH',
      url: this.#location,
      headers: { ...headers, 'content-type': 'application/octet-stream' },
      body,
    })
    this.#location = this.#next(answer, this.#location)
  }

  /** Ends the upload, with all of the blob as body or after it was sent by PATCH. */
  async commit(digest: Digest, whole?: { body: () => Readable; size: number }): Promise<void> {
    await this.#registry.tell({
      ...this.#request(`commit blob ${digest} in`),
      method: 'PUT',
      url: withDigest(this.#location, digest),
      headers: {
        'content-length': String(whole?.size ?? 0),
        ...(whole && { 'content-type': 'application/octet-stream' }),
      },
      body: whole?.body,
      fresh: true,
    })
  }

  /** How many bytes the registry has, after a chunk whose fate is unknown. */
  async offset(): Promise<number> {
    const answer = await this.#registry.tell({
      ...this.#request('ask for the state of an upload to'),
      method: 'GET',
      url: this.#location,
      retry: true,
    })
    this.#location = this.#next(answer, this.#location)
    const range = answer.header('range')
    const end = /^(?:bytes=)?0-(\d{1,15})$/.exec(range ?? '')?.[1]
    if (end === undefined) {
      throw this.#invalid(`answered with the range ${JSON.stringify(range ?? '')}`)
    }
    // No bytes and one byte look the same; chunks of one byte are not sent.
    return end === '0' ? 0 : Number(end) + 1
  }

  /** Gives the upload up. It is a courtesy: failures are of no interest, and an aborted act still does it. */
  async cancel(): Promise<void> {
    try {
      await this.#registry.tell({
        ...this.#request('cancel an upload to'),
        method: 'DELETE',
        url: this.#location,
        expect: [200, 202, 204, 404],
        signal: AbortSignal.timeout(CANCEL_MS),
      })
    } catch {
      return
    }
  }

  #request(act: string) {
    return {
      operation: `${act} ${this.#repository}`,
      scopes: [pushScope(this.#repository)],
      expect: DONE,
      retry: false,
      signal: this.#signal,
    }
  }

  #next(answer: RegistryResponse, before: URL | undefined): URL {
    const location = answer.header('location')
    if (location !== undefined) {
      return this.#registry.resolve(location, answer.url, `upload to ${this.#repository}`, 'Location')
    }
    if (before === undefined) throw this.#invalid('opened an upload without a Location')
    return before
  }

  #invalid(why: string): RegistryError {
    const operation = `upload to ${this.#repository}`
    return new RegistryError('INVALID_RESPONSE', { operation, host: this.#registry.host, why })
  }
}

/** The address with `digest` added, its own query untouched byte by byte: some registries sign it. */
function withDigest(location: URL, digest: Digest): URL {
  const url = new URL(location)
  const parameter = `digest=${encodeURIComponent(digest)}`
  url.search = url.search === '' ? `?${parameter}` : `${url.search}&${parameter}`
  return url
}
