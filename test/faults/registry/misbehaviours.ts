import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { ReceivedRequest } from '../../support/servers/http-server.ts'

/** Forwards the request to a correct registry, and its response to the client with changes. */
export type Forward = (change?: {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: (body: Buffer) => Buffer
}) => Promise<void>

/** Responds to a request, or forwards it. `requestNumber` counts the requests of one action from 1. */
export type Misbehaviour = (
  request: ReceivedRequest,
  response: ServerResponse,
  forward: Forward,
  requestNumber: number,
) => void | Promise<void>

const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Misbehaviour =>
  (_request, response) => {
    response.writeHead(code, headers).end(body)
  }
const changed =
  (change: Parameters<Forward>[0]): Misbehaviour =>
  (_request, _response, forward) =>
    forward(change)
/** Applies a misbehaviour to the requests that match, and forwards the others. */
const where =
  (matches: (request: ReceivedRequest) => boolean, misbehaviour: Misbehaviour): Misbehaviour =>
  (request, response, forward, requestNumber) =>
    matches(request) ? misbehaviour(request, response, forward, requestNumber) : forward()

const isUpload = ({ path }: ReceivedRequest) => path.includes('/blobs/uploads/')
const isOpening = (request: ReceivedRequest) => isUpload(request) && request.method === 'POST'
const isPatch = (request: ReceivedRequest) => isUpload(request) && request.method === 'PATCH'
const isCommit = (request: ReceivedRequest) => isUpload(request) && request.method === 'PUT'
const isBlob = ({ path, method }: ReceivedRequest) => /\/blobs\/sha256:/.test(path) && method === 'GET'
const isManifest = ({ path }: ReceivedRequest) => path.includes('/manifests/')
const isList = ({ path }: ReceivedRequest) => /\/tags\/list|\/referrers\/|_catalog/.test(path)
/** Decompresses to 80 MiB, which exceeds the limit of every document and list. */
const BOMB = gzipSync(Buffer.alloc(80 * 1024 * 1024, ' '))
/** Writes an endless body as fast as the client reads it. */
function writeForever(response: ServerResponse, piece: string | Buffer): void {
  // A response to HEAD discards its body, so `write` would never report backpressure.
  if (response.req.method === 'HEAD') return void response.end()
  const writePieces = () => {
    while (!response.destroyed && response.write(piece));
  }
  response.on('drain', writePieces)
  writePieces()
}
const hang = () => new Promise<never>(() => undefined)

/** A challenge whose token server is the registry itself. */
const challenge = (host: string) => ({
  'www-authenticate': `Bearer realm="http://${host}/token",service="r",scope="repository:app:pull"`,
})

/**
 * Misbehaviours that registries are known for, and worse ones. Their names complete "a registry that …".
 * @param host the host of the registry itself
 */
export function misbehaviours(host: string): Readonly<Record<string, Misbehaviour>> {
  return {
    // Connections.
    'never responds': hang,
    'closes the connection immediately': (_request, response) => void response.destroy(),
    'closes the connection after the headers': (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.flushHeaders()
      setImmediate(() => response.destroy())
    },
    'closes the connection in the middle of the body': async (_request, response, pass) => {
      response.on('pipe', () => undefined)
      await pass({
        body: (body) => body.subarray(0, body.length / 2),
        headers: { 'content-length': '99999' },
      })
      response.destroy()
    },
    'stops in the middle of the body': (_request, response) => {
      response.writeHead(200, { 'content-length': '100000' })
      response.write('{')
      return hang()
    },
    'sends a byte every 50 ms': async (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' })
      const trickling = setInterval(() => response.write(' '), 50)
      response.on('close', () => clearInterval(trickling))
      await hang()
    },
    'sends an endless body': (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      writeForever(response, Buffer.alloc(65_536, ' '))
    },
    'sends endless headers': (_request, response) => {
      const { socket } = response
      socket?.write('HTTP/1.1 200 OK\r\n')
      const writeHeaders = () => {
        while (socket && !socket.destroyed && socket.write(`x-${Math.random()}: ${'a'.repeat(1000)}\r\n`));
      }
      socket?.on('drain', writeHeaders)
      writeHeaders()
    },
    'does not speak HTTP': (_request, response) => void response.socket?.end('\x15\x03\x01\0\x02\x02\x0a'),
    'sends only an informational status': (_request, response) => {
      response.writeProcessing()
      return hang()
    },
    'does not read request bodies': where(
      ({ method }) => ['PUT', 'PATCH'].includes(method),
      () => hang(),
    ),
    'responds before it has read the body': where(
      isUpload,
      status(202, { location: '/v2/app/blobs/uploads/x' }),
    ),

    // Statuses.
    ...Object.fromEntries(
      [
        200, 201, 202, 204, 206, 300, 304, 400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 412, 413, 415,
        416, 418, 421, 422, 425, 428, 431, 451, 499, 500, 501, 502, 504, 505, 507, 511, 522, 599,
      ].map((code) => [`responds to everything with ${code}`, status(code)]),
    ),
    'sends a Retry-After of a day': status(429, { 'retry-after': '86400' }),
    'sends a Retry-After in the past': status(503, { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }),
    'sends a malformed Retry-After': status(503, { 'retry-after': '-1e9 moments' }),
    'sends a Retry-After that overflows': status(429, { 'retry-after': '9'.repeat(40) }),
    'sends an endless error page': (_request, response) => {
      response.writeHead(500, { 'content-type': 'text/html' })
      writeForever(response, '<p>'.repeat(20_000))
    },
    'sends malformed errors': status(400, { 'content-type': 'application/json' }, '{"errors":{"code":[1]}}'),

    // Redirects.
    'redirects to itself': (request, response) =>
      void response.writeHead(307, { location: request.url }).end(),
    'redirects without a Location': status(307),
    'redirects to a malformed address': status(302, { location: 'http://[::bad/' }),
    'redirects to a file': status(302, { location: 'file:///etc/passwd' }),
    'redirects to an address with credentials': status(302, { location: 'http://user:pass@127.0.0.1:1/' }),
    'redirects to a private address': status(302, { location: 'http://169.254.169.254/latest/' }),
    'redirects to loopback in disguise': status(302, { location: 'http://2130706433:1/' }),

    // Authentication.
    'sends 401 without a challenge': status(401),
    'sends unknown challenges': status(401, { 'www-authenticate': 'Negotiate, Digest realm="x", Foo' }),
    'sends a thousand challenges': status(401, { 'www-authenticate': 'Bearer a="b",'.repeat(1_000) }),
    'sends an unterminated challenge': status(401, {
      'www-authenticate': `Bearer realm="${'a'.repeat(10_000)}`,
    }),
    'sends a realm that is not an address': status(401, { 'www-authenticate': 'Bearer realm="::::"' }),
    'sends a realm with a private address': status(401, {
      'www-authenticate': 'Bearer realm="http://10.0.0.1/token"',
    }),
    'rejects its own tokens': ({ path }, response) => {
      if (path === '/token') response.writeHead(200).end('{"token":"t"}')
      else response.writeHead(401, challenge(host)).end()
    },
    'issues expired tokens': ({ path, headers }, response, pass) => {
      if (path === '/token') return void response.writeHead(200).end('{"token":"t","expires_in":-5}')
      if (headers.authorization === undefined) return void response.writeHead(401, challenge(host)).end()
      return pass()
    },
    'issues malformed tokens': ({ path }, response) => {
      if (path === '/token') response.writeHead(200).end('{"token":{"a":1}}')
      else response.writeHead(401, challenge(host)).end()
    },
    'issues endless tokens': ({ path }, response) => {
      if (path !== '/token') return void response.writeHead(401, challenge(host)).end()
      response.writeHead(200).write('{"token":"')
      writeForever(response, 't'.repeat(65_536))
    },
    'has a token server that never responds': ({ path }, response) => {
      if (path === '/token') return hang()
      response.writeHead(401, challenge(host)).end()
    },
    'has a token server that redirects to itself': ({ path }, response) => {
      if (path === '/token') response.writeHead(302, { location: '/token' }).end()
      else response.writeHead(401, challenge(host)).end()
    },
    'requires a new token for each request': ({ path }, response, forward, requestNumber) => {
      if (path === '/token') return void response.writeHead(200).end(`{"token":"t${requestNumber}"}`)
      return requestNumber % 3 === 0 ? forward() : void response.writeHead(401, challenge(host)).end()
    },

    // Documents and blobs.
    'sends a wrong digest header': changed({
      headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` },
    }),
    'sends neither a digest nor a length': changed({
      headers: { 'docker-content-digest': undefined, 'content-length': undefined },
    }),
    'sends bytes that do not match their digest': changed({
      body: (body) => {
        const altered = Buffer.from(body)
        if (altered.length > 0) altered[0] = (altered[0] ?? 0) ^ 1
        return altered
      },
    }),
    'sends fewer bytes than announced': changed({ body: (body) => body.subarray(0, -1) }),
    'sends more bytes than announced': changed({
      headers: { 'content-length': undefined },
      body: (body) => Buffer.concat([body, body]),
    }),
    'compresses its responses': async (request, _response, forward) => {
      if (request.method !== 'GET') return forward()
      await forward({
        headers: { 'content-encoding': 'gzip', 'content-length': undefined },
        body: (body) => gzipSync(body),
      })
    },
    'sends a decompression bomb': where(
      ({ method }) => method === 'GET',
      (_request, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'application/json' })
        response.end(BOMB)
      },
    ),
    'sends an unknown content encoding': changed({ headers: { 'content-encoding': 'zip, lzma' } }),
    'sends uncompressed bytes as gzip': changed({ headers: { 'content-encoding': 'gzip' } }),
    'sends a malformed content type': changed({ headers: { 'content-type': 'text/html; charset=\x22' } }),
    'sends no content type': changed({ headers: { 'content-type': undefined } }),
    'sends a wrong media type': where(
      isManifest,
      changed({ headers: { 'content-type': 'application/vnd.docker.distribution.manifest.list.v2+json' } }),
    ),
    'sends deeply nested documents': where(
      ({ method }) => method === 'GET',
      status(200, { 'content-type': 'application/json' }, '['.repeat(200_000)),
    ),
    'sends documents that are not JSON': where(({ method }) => method === 'GET', status(200, {}, '{"a"')),
    'does not support HEAD': where(({ method }) => method === 'HEAD', status(405)),
    'responds to HEAD without headers': where(({ method }) => method === 'HEAD', status(200)),

    // Ranges.
    'does not support ranges': where(isBlob, changed({ headers: { 'accept-ranges': 'none' } })),
    'sends another range than requested': where(
      ({ headers }) => headers.range !== undefined,
      changed({ headers: { 'content-range': 'bytes 7-9/10' } }),
    ),
    'sends a malformed range': where(
      ({ headers }) => headers.range !== undefined,
      changed({ headers: { 'content-range': 'bytes */*' } }),
    ),
    'rejects every range': where(({ headers }) => headers.range !== undefined, status(416)),
    'always closes the connection at the same byte': where(isBlob, (_request, response) => {
      response.writeHead(200, { 'content-length': '300000' })
      response.write(Buffer.alloc(1_000))
      setImmediate(() => response.destroy())
    }),
    'closes the connection after every byte': where(isBlob, (_request, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-0/300000', 'content-length': '2' })
      response.write('a')
      setImmediate(() => response.destroy())
    }),

    // Lists.
    'sends endless pages': where(isList, ({ path }, response, _forward, requestNumber) => {
      const link = `<${path}?n=1&last=${requestNumber}>; rel="next"`
      const lists = { tags: [`t${requestNumber}`], repositories: [`r${requestNumber}`], manifests: [] }
      response
        .writeHead(200, { 'content-type': 'application/json', link })
        .end(JSON.stringify({ ...lists, schemaVersion: 2 }))
    }),
    'sends a page that links to itself': where(isList, ({ url }, response) => {
      response
        .writeHead(200, { 'content-type': 'application/json', link: `<${url}>; rel="next"` })
        .end('{"tags":["a"],"repositories":["a"],"manifests":[]}')
    }),
    'links to a page with a private address': where(
      isList,
      changed({ headers: { link: '<http://10.0.0.1/v2/>; rel="next"' } }),
    ),
    'sends malformed links': where(isList, changed({ headers: { link: '<<<>>>; rel=next'.repeat(500) } })),
    'has no second page': where(isList, ({ path, query }, response) => {
      if (query.has('page')) return void response.writeHead(404).end()
      response
        .writeHead(200, { 'content-type': 'application/json', link: `<${path}?page=2>; rel="next"` })
        .end('{"schemaVersion":2,"tags":["a"],"repositories":["a"],"manifests":[]}')
    }),
    'sends lists without items': where(
      isList,
      status(200, { 'content-type': 'application/json' }, '{"schemaVersion":2,"name":"app"}'),
    ),
    'sends null as a list': where(
      isList,
      status(200, { 'content-type': 'application/json' }, '{"tags":null}'),
    ),
    'sends lists of other types': where(
      isList,
      status(200, { 'content-type': 'application/json' }, '{"tags":[1,{}],"manifests":[1],"repositories":7}'),
    ),
    'sends hundreds of warnings': changed({ headers: { warning: '299 - "old",'.repeat(500) } }),

    // Uploads.
    'starts uploads without a Location': where(isOpening, status(202)),
    'starts uploads with a malformed Location': where(isOpening, status(202, { location: 'http://[bad' })),
    'starts uploads at a private address': where(
      isOpening,
      status(202, { location: 'http://10.0.0.1/upload' }),
    ),
    'starts uploads that do not exist': where(
      isOpening,
      status(202, { location: '/v2/app/blobs/uploads/none' }),
    ),
    'responds to the start of an upload as to a mount': where(isOpening, status(201)),
    'requires huge chunks': where(
      isOpening,
      changed({ headers: { 'oci-chunk-min-length': '999999999999999' } }),
    ),
    'requires chunks of negative length': where(
      isOpening,
      changed({ headers: { 'oci-chunk-min-length': '-5' } }),
    ),
    'does not support chunks': where(isPatch, status(501)),
    'supports neither chunked nor monolithic uploads': where(
      (request) => isPatch(request) || isCommit(request),
      status(501),
    ),
    'reports an exceeded quota for every upload': where(
      isUpload,
      status(
        403,
        { 'content-type': 'application/json' },
        '{"errors":[{"code":"DENIED","message":"quota exceeded"}]}',
      ),
    ),
    'requires a Content-Length': where(isPatch, status(411)),
    'rejects every chunk as too large': where(
      (request) => isPatch(request) || isCommit(request),
      status(413),
    ),
    'rejects the range of every chunk': where(isPatch, status(416, { range: '0-0' })),
    'loses uploaded bytes': where(isUpload, (request, response, forward) => {
      if (request.method === 'GET') return void response.writeHead(204, { range: '0-0' }).end()
      if (request.method === 'PATCH') return void response.writeHead(500).end()
      return request.method === 'PUT' ? void response.writeHead(404).end() : forward()
    }),
    'accepts and loses chunks alternately': where(
      isUpload,
      async (request, response, forward, requestNumber) => {
        if (request.method === 'GET') return void response.writeHead(204, { range: '0-0' }).end()
        if (request.method === 'PUT') return void response.writeHead(413).end()
        if (request.method !== 'PATCH') return forward()
        await request.body()
        response.writeHead(requestNumber % 2 === 0 ? 202 : 500, { location: request.url, range: '0-0' }).end()
      },
    ),
    'commits an upload and responds with 404': where(isCommit, async (_request, _response, forward) => {
      await forward({ status: 404 })
    }),
    'confirms a commit that it did not do': where(isCommit, async (request, response) => {
      await request.body()
      response.writeHead(201).end()
    }),
    'reads a commit and never responds': where(isCommit, async (request) => {
      await request.body()
      await hang()
    }),
    'never responds to the cancellation of an upload': where(
      (request) => isUpload(request) && request.method === 'DELETE',
      () => hang(),
    ),
    'rejects manifests although their blobs exist': where(
      (request) => isManifest(request) && request.method === 'PUT',
      status(400, { 'content-type': 'application/json' }, '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}'),
    ),
    'responds with an HTML page': status(200, { 'content-type': 'text/html' }, '<html>sign in</html>'),
  }
}
