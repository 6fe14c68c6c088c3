import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { request } from 'undici'
import { HttpServer } from './http-server.ts'

/** Blobs below this size pass at once: configs and records. */
const HELD_BYTES = 16 * 1024

/**
 * A registry that sends the first half of each layer and then waits, so that a conversion stays in the middle for
 * as long as a test needs. Everything else comes from the registry behind it.
 */
export class GatedRegistry implements AsyncDisposable {
  readonly #server: HttpServer
  readonly #gate: PromiseWithResolvers<void>

  private constructor(server: HttpServer, gate: PromiseWithResolvers<void>) {
    this.#server = server
    this.#gate = gate
  }

  /** @param origin the registry behind it, such as `http://127.0.0.1:5000` */
  static async start(origin: string): Promise<GatedRegistry> {
    const gate = Promise.withResolvers<void>()
    const server = await HttpServer.start(async ({ method, url, headers, pieces }, response) => {
      const { host: _, connection: __, 'transfer-encoding': ___, ...passed } = headers
      const hasBody = !['GET', 'HEAD'].includes(method)
      const answer = await request(new URL(url, origin), {
        method: method as 'GET',
        headers: passed as Record<string, string>,
        ...(hasBody && { body: Readable.from(pieces()) }),
      })
      const sent = Object.fromEntries(
        Object.entries(answer.headers).filter(
          ([name]) => !['connection', 'transfer-encoding'].includes(name),
        ),
      ) as Record<string, string>
      const location = sent.location?.replace(origin, '')
      response.writeHead(answer.statusCode, { ...sent, ...(location !== undefined && { location }) })
      const isHeld = method === 'GET' && /\/blobs\//.test(url) && Number(sent['content-length']) >= HELD_BYTES
      if (!isHeld) {
        await pipeline(answer.body, response)
        return
      }
      const bytes = Buffer.from(await answer.body.arrayBuffer())
      response.write(bytes.subarray(0, bytes.length / 2))
      await gate.promise
      response.end(bytes.subarray(bytes.length / 2))
    })
    return new GatedRegistry(server, gate)
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    return this.#server.host
  }

  /** Sends the rest of all layers, and everything that follows at once. */
  release(): void {
    this.#gate.resolve()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release()
    await this.#server[Symbol.asyncDispose]()
  }
}
