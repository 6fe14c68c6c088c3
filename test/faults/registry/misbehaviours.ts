import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { ReceivedRequest } from '../../support/servers/http-server.ts'

/** What goes to the sound registry behind, with changes to the answer. */
export type Forward = (change?: {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: (body: Buffer) => Buffer
}) => Promise<void>

/** Answers a request in its own way, or passes it on. `n` counts the requests of one act from 1. */
export type Misbehaviour = (
  request: ReceivedRequest,
  response: ServerResponse,
  pass: Forward,
  n: number,
) => void | Promise<void>

const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Misbehaviour =>
  (_request, response) => {
    response.writeHead(code, headers).end(body)
  }
const changed =
  (change: Parameters<Forward>[0]): Misbehaviour =>
  (_request, _response, pass) =>
    pass(change)
/** Only for requests that match; others are passed on. */
const where =
  (test: (request: ReceivedRequest) => boolean, misbehaviour: Misbehaviour): Misbehaviour =>
  (request, response, pass, n) =>
    test(request) ? misbehaviour(request, response, pass, n) : pass()

const isUpload = ({ path }: ReceivedRequest) => path.includes('/blobs/uploads/')
const isOpening = (request: ReceivedRequest) => isUpload(request) && request.method === 'POST'
const isPatch = (request: ReceivedRequest) => isUpload(request) && request.method === 'PATCH'
const isCommit = (request: ReceivedRequest) => isUpload(request) && request.method === 'PUT'
const isBlob = ({ path, method }: ReceivedRequest) => /\/blobs\/sha256:/.test(path) && method === 'GET'
const isManifest = ({ path }: ReceivedRequest) => path.includes('/manifests/')
const isList = ({ path }: ReceivedRequest) => /\/tags\/list|\/referrers\/|_catalog/.test(path)
/** 80 MiB of nothing: more than any document, or list, may have. */
const BOMB = gzipSync(Buffer.alloc(80 * 1024 * 1024, ' '))
/** Writes as fast as it is taken, without an end. */
function pour(response: ServerResponse, piece: string | Buffer): void {
  // To HEAD there is no body, and each write counts as taken.
  if (response.req.method === 'HEAD') return void response.end()
  const more = () => {
    while (!response.destroyed && response.write(piece));
  }
  response.on('drain', more)
  more()
}
const forever = () => new Promise<never>(() => undefined)

/** A registry's realm: token requests come to the same server. */
const challenge = (host: string, more = '') => ({
  'www-authenticate': `Bearer realm="http://${host}/token",service="r",scope="repository:app:pull"${more}`,
})

/**
 * The ways in which registries were seen to misbehave, and worse ones.
 * @param host of the registry itself
 */
export function misbehaviours(host: string): Readonly<Record<string, Misbehaviour>> {
  return {
    // Connections.
    'never answers': forever,
    'closes the connection at once': (_request, response) => void response.destroy(),
    'closes it after the headers': (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.flushHeaders()
      setImmediate(() => response.destroy())
    },
    'closes it amid the body': async (_request, response, pass) => {
      response.on('pipe', () => undefined)
      await pass({
        body: (body) => body.subarray(0, body.length / 2),
        headers: { 'content-length': '99999' },
      })
      response.destroy()
    },
    'stops amid the body': (_request, response) => {
      response.writeHead(200, { 'content-length': '100000' })
      response.write('{')
      return forever()
    },
    'sends a byte now and then': async (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' })
      const trickling = setInterval(() => response.write(' '), 50)
      response.on('close', () => clearInterval(trickling))
      await forever()
    },
    'sends without an end': (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      pour(response, Buffer.alloc(65_536, ' '))
    },
    'sends headers without an end': (_request, response) => {
      const { socket } = response
      socket?.write('HTTP/1.1 200 OK\r\n')
      const more = () => {
        while (socket && !socket.destroyed && socket.write(`x-${Math.random()}: ${'a'.repeat(1000)}\r\n`));
      }
      socket?.on('drain', more)
      more()
    },
    'speaks no HTTP': (_request, response) => void response.socket?.end('\x15\x03\x01\0\x02\x02\x0a'),
    'answers with nothing but an informational status': (_request, response) => {
      response.writeProcessing()
      return forever()
    },
    'reads no body': where(
      ({ method }) => ['PUT', 'PATCH'].includes(method),
      () => forever(),
    ),
    'answers before it has read the body': where(
      isUpload,
      status(202, { location: '/v2/app/blobs/uploads/x' }),
    ),

    // Statuses.
    ...Object.fromEntries(
      [
        200, 201, 202, 204, 206, 300, 304, 400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 412, 413, 415,
        416, 418, 421, 422, 425, 428, 431, 451, 499, 500, 501, 502, 504, 505, 507, 511, 522, 599,
      ].map((code) => [`answers everything with ${code}`, status(code)]),
    ),
    'asks to wait for a day': status(429, { 'retry-after': '86400' }),
    'asks to wait until long ago': status(503, { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }),
    'asks to wait for nonsense': status(503, { 'retry-after': '-1e9 moments' }),
    'asks to wait for longer than time lasts': status(429, { 'retry-after': '9'.repeat(40) }),
    'has an error page of any length': (_request, response) => {
      response.writeHead(500, { 'content-type': 'text/html' })
      pour(response, '<p>'.repeat(20_000))
    },
    'has errors that are none': status(
      400,
      { 'content-type': 'application/json' },
      '{"errors":{"code":[1]}}',
    ),

    // Redirects.
    'redirects to itself': (request, response) =>
      void response.writeHead(307, { location: request.url }).end(),
    'redirects without saying where': status(307),
    'redirects to nonsense': status(302, { location: 'http://[::bad/' }),
    'redirects to a file': status(302, { location: 'file:///etc/passwd' }),
    'redirects to a name with credentials': status(302, { location: 'http://user:pass@127.0.0.1:1/' }),
    'redirects to a private address': status(302, { location: 'http://169.254.169.254/latest/' }),
    'redirects to loopback in disguise': status(302, { location: 'http://2130706433:1/' }),

    // Authentication.
    'demands what it does not name': status(401),
    'demands what nobody knows': status(401, { 'www-authenticate': 'Negotiate, Digest realm="x", Foo' }),
    'has ten thousand challenges': status(401, { 'www-authenticate': 'Bearer a="b",'.repeat(1_000) }),
    'has a challenge that does not end': status(401, {
      'www-authenticate': `Bearer realm="${'a'.repeat(10_000)}`,
    }),
    'has a realm that is no address': status(401, { 'www-authenticate': 'Bearer realm="::::"' }),
    'has a realm elsewhere': status(401, { 'www-authenticate': 'Bearer realm="http://10.0.0.1/token"' }),
    'takes none of its own tokens': ({ path }, response) => {
      if (path === '/token') response.writeHead(200).end('{"token":"t"}')
      else response.writeHead(401, challenge(host)).end()
    },
    'has tokens that are over at once': ({ path, headers }, response, pass) => {
      if (path === '/token') return void response.writeHead(200).end('{"token":"t","expires_in":-5}')
      if (headers.authorization === undefined) return void response.writeHead(401, challenge(host)).end()
      return pass()
    },
    'has tokens that are none': ({ path }, response) => {
      if (path === '/token') response.writeHead(200).end('{"token":{"a":1}}')
      else response.writeHead(401, challenge(host)).end()
    },
    'has tokens of any length': ({ path }, response) => {
      if (path !== '/token') return void response.writeHead(401, challenge(host)).end()
      response.writeHead(200).write('{"token":"')
      pour(response, 't'.repeat(65_536))
    },
    'has a token server that never answers': ({ path }, response) => {
      if (path === '/token') return forever()
      response.writeHead(401, challenge(host)).end()
    },
    'has a token server that redirects': ({ path }, response) => {
      if (path === '/token') response.writeHead(302, { location: '/token' }).end()
      else response.writeHead(401, challenge(host)).end()
    },
    'wants a new token each time': ({ path }, response, pass, n) => {
      if (path === '/token') return void response.writeHead(200).end(`{"token":"t${n}"}`)
      return n % 3 === 0 ? pass() : void response.writeHead(401, challenge(host)).end()
    },

    // Documents and blobs.
    'has a wrong digest header': changed({
      headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` },
    }),
    'has no digest and no length': changed({
      headers: { 'docker-content-digest': undefined, 'content-length': undefined },
    }),
    'has other bytes than it says': changed({
      body: (body) => {
        const other = Buffer.from(body)
        if (other.length > 0) other[0] = (other[0] ?? 0) ^ 1
        return other
      },
    }),
    'has fewer bytes than it says': changed({ body: (body) => body.subarray(0, -1) }),
    'has more bytes than it says': changed({
      headers: { 'content-length': undefined },
      body: (body) => Buffer.concat([body, body]),
    }),
    'packs what it answers': async (request, _response, pass) => {
      if (request.method !== 'GET') return pass()
      await pass({
        headers: { 'content-encoding': 'gzip', 'content-length': undefined },
        body: (body) => gzipSync(body),
      })
    },
    'packs a bomb': where(
      ({ method }) => method === 'GET',
      (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' })
        response.end(BOMB)
      },
    ),
    'packs in a way that nobody knows': changed({ headers: { 'content-encoding': 'zip, lzma' } }),
    'says that plain bytes are packed': changed({ headers: { 'content-encoding': 'gzip' } }),
    'has an odd content type': changed({ headers: { 'content-type': 'text/html; charset=\x22' } }),
    'has no content type': changed({ headers: { 'content-type': undefined } }),
    'has another media type than it says': where(
      isManifest,
      changed({ headers: { 'content-type': 'application/vnd.docker.distribution.manifest.list.v2+json' } }),
    ),
    'has documents that are deep': where(
      ({ method }) => method === 'GET',
      status(200, { 'content-type': 'application/json' }, '['.repeat(200_000)),
    ),
    'has documents that are no JSON': where(({ method }) => method === 'GET', status(200, {}, '{"a"')),
    'has no HEAD': where(({ method }) => method === 'HEAD', status(405)),
    'has a HEAD that says nothing': where(({ method }) => method === 'HEAD', status(200)),

    // Ranges.
    'knows no ranges': where(isBlob, changed({ headers: { 'accept-ranges': 'none' } })),
    'gives another range': where(
      ({ headers }) => headers.range !== undefined,
      changed({ headers: { 'content-range': 'bytes 7-9/10' } }),
    ),
    'gives a range that is none': where(
      ({ headers }) => headers.range !== undefined,
      changed({ headers: { 'content-range': 'bytes */*' } }),
    ),
    'has no such range': where(({ headers }) => headers.range !== undefined, status(416)),
    'breaks off at the same byte again and again': where(isBlob, (_request, response) => {
      response.writeHead(200, { 'content-length': '300000' })
      response.write(Buffer.alloc(1_000))
      setImmediate(() => response.destroy())
    }),
    'breaks off after every byte': where(isBlob, (_request, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-0/300000', 'content-length': '2' })
      response.write('a')
      setImmediate(() => response.destroy())
    }),

    // Lists.
    'has pages without an end': where(isList, ({ path }, response, _pass, n) => {
      response
        .writeHead(200, { 'content-type': 'application/json', link: `<${path}?n=1&last=${n}>; rel="next"` })
        .end(JSON.stringify({ tags: [`t${n}`], repositories: [`r${n}`], manifests: [], schemaVersion: 2 }))
    }),
    'has a page that leads to itself': where(isList, ({ url }, response) => {
      response
        .writeHead(200, { 'content-type': 'application/json', link: `<${url}>; rel="next"` })
        .end('{"tags":["a"],"repositories":["a"],"manifests":[]}')
    }),
    'has a page elsewhere': where(
      isList,
      changed({ headers: { link: '<http://10.0.0.1/v2/>; rel="next"' } }),
    ),
    'has links that are none': where(isList, changed({ headers: { link: '<<<>>>; rel=next'.repeat(500) } })),
    'has lists that end at their second page': where(isList, ({ path, query }, response) => {
      if (query.has('page')) return void response.writeHead(404).end()
      response
        .writeHead(200, { 'content-type': 'application/json', link: `<${path}?page=2>; rel="next"` })
        .end('{"schemaVersion":2,"tags":["a"],"repositories":["a"],"manifests":[]}')
    }),
    'has lists without a list': where(
      isList,
      status(200, { 'content-type': 'application/json' }, '{"schemaVersion":2,"name":"app"}'),
    ),
    'has lists of nothing': where(
      isList,
      status(200, { 'content-type': 'application/json' }, '{"tags":null}'),
    ),
    'has lists of other things': where(
      isList,
      status(200, { 'content-type': 'application/json' }, '{"tags":[1,{}],"manifests":[1],"repositories":7}'),
    ),
    'warns without an end': changed({ headers: { warning: '299 - "old",'.repeat(500) } }),

    // Uploads.
    'opens uploads without a place': where(isOpening, status(202)),
    'opens uploads at no address': where(isOpening, status(202, { location: 'http://[bad' })),
    'opens uploads elsewhere': where(isOpening, status(202, { location: 'http://10.0.0.1/upload' })),
    'opens uploads and knows none': where(isOpening, status(202, { location: '/v2/app/blobs/uploads/none' })),
    'opens uploads as if all were mounted': where(isOpening, status(201)),
    'wants chunks of any length': where(
      isOpening,
      changed({ headers: { 'oci-chunk-min-length': '999999999999999' } }),
    ),
    'wants chunks of less than nothing': where(
      isOpening,
      changed({ headers: { 'oci-chunk-min-length': '-5' } }),
    ),
    'does not implement chunks': where(isPatch, status(501)),
    'does not implement uploads of any kind': where(
      (request) => isPatch(request) || isCommit(request),
      status(501),
    ),
    'has a quota for everything': where(
      isUpload,
      status(
        403,
        { 'content-type': 'application/json' },
        '{"errors":[{"code":"DENIED","message":"quota exceeded"}]}',
      ),
    ),
    'takes no stream': where(isPatch, status(411)),
    'takes no chunk': where((request) => isPatch(request) || isCommit(request), status(413)),
    'takes chunks elsewhere than they belong': where(isPatch, status(416, { range: '0-0' })),
    'loses what it took': where(isUpload, (request, response, pass) => {
      if (request.method === 'GET') return void response.writeHead(204, { range: '0-0' }).end()
      if (request.method === 'PATCH') return void response.writeHead(500).end()
      return request.method === 'PUT' ? void response.writeHead(404).end() : pass()
    }),
    'takes a chunk and loses it by turns': where(isUpload, async (request, response, pass, n) => {
      if (request.method === 'GET') return void response.writeHead(204, { range: '0-0' }).end()
      if (request.method === 'PUT') return void response.writeHead(413).end()
      if (request.method !== 'PATCH') return pass()
      await request.body()
      response.writeHead(n % 2 === 0 ? 202 : 500, { location: request.url, range: '0-0' }).end()
    }),
    'commits and says that there is no such thing': where(isCommit, async (_request, _response, pass) => {
      await pass({ status: 404 })
    }),
    'commits and has nothing': where(isCommit, async (request, response) => {
      await request.body()
      response.writeHead(201).end()
    }),
    'commits and never answers': where(isCommit, async (request) => {
      await request.body()
      await forever()
    }),
    'does not let uploads be cancelled': where(
      (request) => isUpload(request) && request.method === 'DELETE',
      () => forever(),
    ),
    'takes no manifest whose blobs are there': where(
      (request) => isManifest(request) && request.method === 'PUT',
      status(400, { 'content-type': 'application/json' }, '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}'),
    ),
    'answers in the form of a page': status(200, { 'content-type': 'text/html' }, '<html>sign in</html>'),
  }
}
