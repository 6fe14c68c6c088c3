import { type Dispatcher, request } from 'undici'

/** Sends one request to an issuer. The response is complete, and redirects are not followed. */
export type IssuerFetch = (url: string, options?: IssuerRequest) => Promise<Response>

export type IssuerRequest = {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** How an issuer is reached. */
export type IssuerConnection = {
  /** A PEM with the certificate authorities of this issuer; default: those of every connection. */
  readonly ca?: string | undefined
  /** The hosts that the operator named, with their ports: they may have private addresses. */
  readonly hosts: readonly string[]
}

/** The longest wait for a response, body included. */
const TIMEOUT_MS = 5_000
/** Documents of issuers have some 10 KiB. */
const MAX_BODY_BYTES = 256 * 1024
/** What a reader of the response needs. */
const KEPT_HEADERS = ['content-type', 'www-authenticate'] as const

/** Creates a fetch whose responses have a bounded size and a deadline. */
export function createIssuerFetch(dispatcher: Dispatcher): IssuerFetch {
  return async (url, { method = 'GET', headers = {}, body, signal } = {}) => {
    const deadline = AbortSignal.timeout(TIMEOUT_MS)
    const response = await request(url, {
      dispatcher,
      method: method as Dispatcher.HttpMethod,
      headers: { accept: 'application/json', ...headers },
      body: body ?? null,
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    })
    const chunks: Buffer[] = []
    let size = 0
    // Leaving the loop destroys the body, and its connection with it.
    for await (const chunk of response.body) {
      size += (chunk as Buffer).length
      if (size > MAX_BODY_BYTES) throw new Error(`the response is larger than ${MAX_BODY_BYTES} bytes`)
      chunks.push(chunk as Buffer)
    }
    const isEmpty = response.statusCode === 204 || response.statusCode === 304
    return new Response(isEmpty ? null : Buffer.concat(chunks), {
      status: response.statusCode,
      headers: KEPT_HEADERS.flatMap((name): [string, string][] => {
        const value = response.headers[name]
        return typeof value === 'string' ? [[name, value]] : []
      }),
    })
  }
}
