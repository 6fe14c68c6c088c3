import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'

const ROOT = new URL('../../../', import.meta.url)
/** What the pages may load. */
const SERVED =
  /^\/(src\/client|test\/support\/pages|node_modules\/(openapi-fetch|eventsource-parser)\/dist)\/[\w-]+\.m?(ts|js)$/
const HTML = `<!doctype html>
<meta charset="utf-8">
<title>A page of another origin</title>
<script type="importmap">{"imports": {
  "openapi-fetch": "/node_modules/openapi-fetch/dist/index.mjs",
  "eventsource-parser": "/node_modules/eventsource-parser/dist/index.js"
}}</script>
<script type="module" src="/test/support/pages/broker-page.ts"></script>`

/** Serves a page that uses the broker's client, as it stands in the sources, with the types removed. */
export class PageServer implements AsyncDisposable {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<PageServer> {
    const server = createServer((request, response) => {
      void load(request.url ?? '').then(([status, type, body]) =>
        response.writeHead(status, { 'content-type': type }).end(body),
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new PageServer(server)
  }

  /** The origin of the page. */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

async function load(path: string): Promise<[status: number, type: string, body: string]> {
  if (path === '/') return [200, 'text/html', HTML]
  if (!SERVED.test(path)) return [404, 'text/plain', 'not found']
  const source = await readFile(new URL(`.${path}`, ROOT), 'utf8')
  return [200, 'text/javascript', path.endsWith('.ts') ? stripTypeScriptTypes(source) : source]
}
