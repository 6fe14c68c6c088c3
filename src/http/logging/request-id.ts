import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** The header that carries the id of a request, in both directions. */
const REQUEST_ID_HEADER = 'x-request-id'
/** The characters of UUIDs, base64 and the ids that proxies generate. The id is stored, logged and sent back. */
const WELL_FORMED = /^[A-Za-z0-9][A-Za-z0-9._:=+/@-]{0,127}$/

/** Returns the id that the caller gave a request, if it is well-formed, or a new one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers[REQUEST_ID_HEADER]
  return typeof given === 'string' && WELL_FORMED.test(given) ? given : randomUUID()
}

/** Sends every response with the id of its request, so that a caller can quote it. */
export function sendRequestIds(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header(REQUEST_ID_HEADER, request.id)
  })
}
