import { randomBytes, randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { digestOf } from '../../../src/oci/digest.ts'
import { RegistryClient } from '../../../src/registry/client.ts'
import type { RegistryOptions } from '../../../src/registry/registry-options.ts'
import { HttpServer, type ReceivedRequest } from './http-server.ts'

export const KIB = 1024
export const blobBytes = randomBytes(300 * KIB)
export const blobDescriptor = { digest: digestOf(blobBytes), size: blobBytes.length }
export const openBlobBytes = () => Readable.from([blobBytes.subarray(0, 1000), blobBytes.subarray(1000)])

/** Handles a request before the registry does. Returns true if it has sent the response. */
export type Quirk = (
  request: ReceivedRequest,
  response: ServerResponse,
  uploads: Uploads,
) => boolean | undefined | Promise<boolean | undefined>

/** The upload routes of a registry, with blobs in memory. Quirks can override its responses. */
export class Uploads {
  readonly blobs = new Map<string, Buffer>()
  readonly sessions = new Map<string, Buffer>()
  /** Each request of an upload as `METHOD`, or as `METHOD RANGE` if it has a Content-Range. */
  readonly requests: string[] = []

  async handle(request: ReceivedRequest, response: ServerResponse, quirk: Quirk | undefined): Promise<void> {
    const { method, path, headers } = request
    const range = headers['content-range']
    this.requests.push(range === undefined ? method : `${method} ${range}`)
    if (await quirk?.(request, response, this)) return
    const id = path.split('/').at(-1) ?? ''
    if (method === 'HEAD') return this.#head(response, path)
    if (method === 'POST') return this.open(response)
    const session = this.sessions.get(id)
    if (session === undefined) return void response.writeHead(404).end()
    if (method === 'GET') return this.#sendStatus(response, id, session)
    if (method === 'DELETE') {
      this.sessions.delete(id)
      return void response.writeHead(204).end()
    }
    if (range !== undefined && Number(range.split('-')[0]) !== session.length) {
      return void response.writeHead(416).end()
    }
    const uploaded = Buffer.concat([session, await request.body()])
    this.sessions.set(id, uploaded)
    if (method === 'PATCH') return this.#sendStatus(response, id, uploaded)
    if (request.query.get('digest') !== digestOf(uploaded) || request.query.get('state') !== 'a+b%2F') {
      return void response.writeHead(400).end()
    }
    this.commit(id)
    response.writeHead(201).end()
  }

  open(response: ServerResponse, headers: Record<string, string> = {}): void {
    const id = randomUUID()
    this.sessions.set(id, Buffer.alloc(0))
    this.#sendStatus(response, id, Buffer.alloc(0), headers)
  }

  commit(id: string): void {
    const uploaded = this.sessions.get(id) ?? Buffer.alloc(0)
    this.blobs.set(digestOf(uploaded), uploaded)
    this.sessions.delete(id)
  }

  #head(response: ServerResponse, path: string): void {
    const stored = this.blobs.get(path.split('/').at(-1) ?? '')
    response.writeHead(stored ? 200 : 404, stored && { 'content-length': stored.length }).end()
  }

  #sendStatus(
    response: ServerResponse,
    id: string,
    session: Buffer,
    headers: Record<string, string> = {},
  ): void {
    const location = `/v2/a/blobs/uploads/${id}?state=a%2Bb%252F`
    const range = `0-${Math.max(0, session.length - 1)}`
    response.writeHead(202, { location, range, ...headers }).end()
  }
}

/** Starts a registry that stores uploads in memory, and creates a client of it. */
export async function startUploadRegistry(quirk?: Quirk, options: RegistryOptions = {}) {
  const uploads = new Uploads()
  const server = await HttpServer.start((request, response) => uploads.handle(request, response, quirk))
  const client = new RegistryClient({ plainHttp: [server.host], retry: { baseMs: 1 }, ...options })
  const dispose = async () => {
    await client.close()
    await server[Symbol.asyncDispose]()
  }
  const repository = client.repository({ host: server.host, repository: 'a' })
  return { uploads, server, repository, [Symbol.asyncDispose]: dispose }
}

export const hasBlob = (uploads: Uploads) => uploads.blobs.get(blobDescriptor.digest)?.equals(blobBytes)
export const uploadIdOf = (request: ReceivedRequest) => request.path.split('/').at(-1) ?? ''
export const respond = (response: ServerResponse, status: number) => {
  response.writeHead(status).end()
  return true
}
