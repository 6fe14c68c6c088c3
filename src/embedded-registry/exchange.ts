import type { FastifyReply, FastifyRequest } from 'fastify'
import { DistributionError } from './errors.ts'
import { parseContentRange } from './ranges.ts'
import type { Repositories } from './repositories.ts'
import type { Chunk, Uploads } from './uploads.ts'

/** One request, its answer, and what is stored. */
export type Exchange = {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly repositories: Repositories
  readonly uploads: Uploads
  readonly maxManifestBytes: number
}

/** A query parameter; the first when it is there more than once. */
export function queryOf({ request }: Exchange, name: string): string | undefined {
  const value = (request.query as Record<string, string | string[] | undefined>)[name]
  return Array.isArray(value) ? value[0] : value
}

/** The request's bytes as they come. Leaving off half-way keeps the connection, so that an answer can be sent. */
export function chunkOf({ request }: Exchange): Chunk {
  const headers = request.headers
  const range = parseContentRange(headers['content-range'], headers['content-length'])
  return { bytes: request.raw.iterator({ destroyOnReturn: false }), ...(range !== undefined && { range }) }
}

/** The answer to a method that the endpoint does not have. */
export function noSuchMethod({ request }: Exchange, allowed: string): DistributionError {
  const message = `${request.method} is not possible here; ${allowed} is`
  return new DistributionError('UNSUPPORTED', 405, message, { headers: { allow: allowed } })
}

/** The header that names content. */
export const CONTENT_DIGEST = 'docker-content-digest'
