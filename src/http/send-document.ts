import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { DocumentBody } from '../analysis/analyses.ts'

/**
 * Streams a document. Its producer has validated it already, so the route's response schema is not applied:
 * Fastify sends streams unserialized.
 */
export function sendDocument(reply: FastifyReply, contentType: string, document: DocumentBody): never {
  return reply.type(contentType).send(Readable.from(document, { objectMode: false })) as never
}
