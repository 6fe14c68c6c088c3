import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** A request that the server received. Its body is read on demand. */
export type ReceivedRequest = {
  readonly method: string
  /** The path and the query. */
  readonly url: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /** Reads the complete body. It can be read once. */
  body(): Promise<Buffer>
  /** Streams the body with backpressure. */
  pieces(): AsyncIterable<Buffer>
}

export type RequestHandler = (request: ReceivedRequest, response: ServerResponse) => void | Promise<void>

/**
 * An HTTP server on a free port that records all requests. Its handler may close the connection
 * with `response.destroy()`.
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

  /**
   * @param tls the certificate and the key in PEM, for HTTPS
   * @param address where it listens
   */
  static async start(
    handler: RequestHandler,
    tls?: { cert: string; key: string },
    address = '127.0.0.1',
  ): Promise<HttpServer> {
    const received: ReceivedRequest[] = []
    const listener = async (request: IncomingMessage, response: ServerResponse) => {
      const receivedRequest = toReceivedRequest(request)
      received.push(receivedRequest)
      try {
        await handler(receivedRequest, response)
      } catch (error) {
        if (!response.headersSent) response.writeHead(500).end(String(error))
        else response.destroy()
      }
    }
    const server = tls ? createTlsServer(tls, listener) : createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, address, resolve))
    const close = () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    return new HttpServer(`${address}:${(server.address() as AddressInfo).port}`, close, received)
  }

  /** All received requests as `METHOD PATH?QUERY`. */
  get log(): string[] {
    return this.received.map(({ method, url }) => `${method} ${url}`)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }
}

function toReceivedRequest(request: IncomingMessage): ReceivedRequest {
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
