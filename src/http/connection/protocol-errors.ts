import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import { PROBLEM_TYPE, type Problem, problem, sendProblem } from '../problem.ts'
import { isRegistryPath } from '../registry-path.ts'

/** Handlers of errors before routing: malformed HTTP, invalid paths. Responses are problem documents. */
export const protocolErrorHandlers = {
  frameworkErrors: sendPathError,
  clientErrorHandler: (error, socket) => sendParserError(error, socket),
} satisfies FastifyServerOptions

function sendPathError(error: { readonly code: string }, { raw }: FastifyRequest, reply: FastifyReply): void {
  const url = raw.url ?? ''
  const document =
    error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? problem(414, 'URI_TOO_LONG', 'a segment of the path is too long')
      : problem(400, 'INVALID_PATH', 'the path contains a % that is not followed by two hexadecimal digits')
  // Registry clients expect errors in the form of the OCI distribution specification.
  if (isRegistryPath(url)) {
    const { status, detail = '' } = document
    void reply.code(status).send({ errors: [{ code: 'NAME_INVALID', message: detail }] })
  } else void sendProblem(reply, document)
}

/** Converts an error of Node's HTTP parser. Codes that are not listed start with `HPE_`. */
function parserProblem({ code }: { readonly code?: string }): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return problem(408, 'REQUEST_TOO_SLOW', 'the request headers arrive too slowly')
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return problem(431, 'HEADERS_TOO_LARGE', 'the request line and headers are larger than 16 KiB')
  }
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    return problem(413, 'TOO_LARGE', 'the extensions of a chunk are larger than 16 KiB')
  }
  return problem(
    400,
    'INVALID_HTTP',
    `this is not a valid HTTP/1.1 request (${code ?? 'it cannot be parsed'})`,
  )
}

function sendParserError(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  if (socket.writable) endWithProblem(socket, parserProblem(error))
  else socket.destroy()
}

/** Writes a response directly to the socket, without Node's HTTP server, and closes the connection. */
function endWithProblem(socket: Duplex, document: Problem): void {
  const body = JSON.stringify(document)
  socket.end(
    [
      `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status]}`,
      `Content-Type: ${PROBLEM_TYPE}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
    () => socket.destroy(),
  )
}

/** Rejects CONNECT and unknown expectations, which Node's server would reject without a body, or ignore. */
export function rejectUnsupportedRequests({ server }: FastifyInstance): void {
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy())
    endWithProblem(
      socket,
      problem(405, 'METHOD_NOT_ALLOWED', 'CONNECT is not supported: this server is not a proxy'),
    )
  })
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const document = problem(417, 'UNKNOWN_EXPECTATION', 'only Expect: 100-continue is supported')
    response.writeHead(document.status, { 'content-type': PROBLEM_TYPE }).end(JSON.stringify(document))
  })
}
