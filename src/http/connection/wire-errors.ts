import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import { PROBLEM_TYPE, type Problem, problem, sendProblem } from '../problem.ts'

/**
 * What goes wrong before any route is found, as problem documents: what is no HTTP, addresses that cannot be read, methods
 * that there are not.
 */
export const wireErrors = {
  frameworkErrors: answerAddress,
  clientErrorHandler: (error, socket) => answerClient(error, socket),
} satisfies FastifyServerOptions

function answerAddress(error: { readonly code: string }, { raw }: FastifyRequest, reply: FastifyReply): void {
  const url = raw.url ?? ''
  const {
    status,
    code,
    detail = '',
  } = error.code === 'FST_ERR_MAX_PARAM_LENGTH'
    ? problem(414, 'URI_TOO_LONG', 'a part of the path is longer than any that there is')
    : problem(400, 'INVALID_PATH', 'the path has a % that is not followed by two hexadecimal digits')
  // Clients of a registry read errors in the form of the distribution specification.
  if (/^\/v2(\/|$)/.test(url)) {
    void reply.code(status).send({ errors: [{ code: 'NAME_INVALID', message: detail }] })
  } else void sendProblem(reply, problem(status, code, detail))
}

/** Errors of Node's parser by their codes, which begin with HPE_ where they are not listed. */
function problemOf({ code }: { readonly code?: string }): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return problem(408, 'REQUEST_TOO_SLOW', 'the headers of the request come too slowly')
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return problem(431, 'HEADERS_TOO_LARGE', 'address and headers together are larger than 16 KiB')
  }
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    return problem(413, 'TOO_LARGE', 'the extensions of a chunk are larger than 16 KiB')
  }
  return problem(400, 'INVALID_HTTP', `this is no request of HTTP/1.1 (${code ?? 'it cannot be read'})`)
}

function answerClient(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  if (socket.writable) endWith(socket, problemOf(error))
  else socket.destroy()
}

/** Writes an answer past the parser, and ends the connection. */
function endWith(socket: Duplex, document: Problem): void {
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

/** Answers what Node's server would answer by itself, without a word, or not at all. */
export function handleMalformedRequests({ server }: FastifyInstance): void {
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy())
    endWith(socket, problem(405, 'METHOD_NOT_ALLOWED', 'this is no proxy: there is no CONNECT'))
  })
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const document = problem(417, 'UNKNOWN_EXPECTATION', 'Expect: 100-continue is all that is understood')
    response.writeHead(document.status, { 'content-type': PROBLEM_TYPE }).end(JSON.stringify(document))
  })
}
