import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import type { DocumentBody } from '../analysis/analyses.ts'

/** Sends a document as it comes, whatever the route's schemas say: it has their form already. */
export function sendDocument(reply: FastifyReply, type: string, document: DocumentBody): never {
  // Fastify sends a stream as it is; schemas know nothing of streams.
  return reply.type(type).send(Readable.from(document, { objectMode: false })) as never
}
