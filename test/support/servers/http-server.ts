import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** What a request was, as far as it is known before its body. */
export type ReceivedRequest = {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /** Reads the body; call it at most once. */
  body(): Promise<Buffer>
  /** The same, piece by piece, as fast as it is read. */
  pieces(): AsyncIterable<Buffer>
}

export type RequestHandler = (request: ReceivedRequest, response: ServerResponse) => void | Promise<void>

/**
 * A real HTTP server on a free port of 127.0.0.1 that behaves as the handler says. Keeps what it received.
 * A handler may drop the connection by `response.destroy()`.
 */
export class HttpServer implements AsyncDisposable {
  readonly received: ReceivedRequest[] = []
  readonly host: string
  readonly #close: () => Promise<void>

  private constructor(host: string, close: () => Promise<void>, received: ReceivedRequest[]) {
    this.host = host
    this.#close = close
    this.received = received
  }

  /** @param tls certificate and key, PEM, for HTTPS */
  static async start(handler: RequestHandler, tls?: { cert: string; key: string }): Promise<HttpServer> {
    const received: ReceivedRequest[] = []
    const listener = async (request: IncomingMessage, response: ServerResponse) => {
      const seen = asReceived(request)
      received.push(seen)
      try {
        await handler(seen, response)
      } catch (error) {
        if (!response.headersSent) response.writeHead(500).end(String(error))
        else response.destroy()
      }
    }
    const server = tls ? createTlsServer(tls, listener) : createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const close = () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    return new HttpServer(`127.0.0.1:${(server.address() as AddressInfo).port}`, close, received)
  }

  /** `METHOD PATH?QUERY` of everything received. */
  get log(): string[] {
    return this.received.map(({ method, url }) => `${method} ${url}`)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }
}

function asReceived(request: IncomingMessage): ReceivedRequest {
  const url = request.url ?? '/'
  const parsed = new URL(url, 'http://localhost')
  return {
    method: request.method ?? '',
    url,
    path: parsed.pathname,
    query: parsed.searchParams,
    headers: request.headers,
    body: () => buffer(request),
    pieces: () => request,
  }
}
