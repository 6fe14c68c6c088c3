import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Digest } from '../oci/digest.ts'
import { parseContentRange } from './byte-ranges.ts'
import type { ContentDigest } from './content-digest.ts'
import { DistributionError } from './errors.ts'
import type { Sender } from './guard/sender.ts'
import type { StorageQuota } from './quota/storage-quota.ts'
import type { RepositoryStore } from './repository-store.ts'
import type { UploadChunk, UploadStore } from './upload-store.ts'

/** A tag, or a manifest without one, that was pushed or deleted. */
export type RegistryChange = { readonly repository: string } & (
  | { readonly tag: string }
  | { readonly digest: Digest }
)

/** Is told of changes after they are on disk. It must neither throw nor take time. */
export type ChangeListener = (change: RegistryChange) => void

/** A manifest that was pushed with a tag. */
export type TagPush = {
  readonly repository: string
  readonly tag: string
  readonly digest: ContentDigest
  readonly annotations: Readonly<Record<string, string>>
}

/** Is told of pushed tags after they are on disk. It must neither throw nor take time. */
export type PushListener = (push: TagPush) => void

/** A request with its reply, and the stores that serve it. */
export type Exchange = {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly repositories: RepositoryStore
  readonly uploads: UploadStore
  readonly quota: StorageQuota
  readonly sender: Sender
  readonly maxManifestBytes: number
  readonly onChange: ChangeListener | undefined
  readonly onPush: PushListener | undefined
}

/** The response header with the digest of the content. */
export const DIGEST_HEADER = 'docker-content-digest'

/** Returns a query parameter; its first value if it is repeated. */
export function queryParameter({ query }: FastifyRequest, name: string): string | undefined {
  const value = (query as Record<string, string | string[] | undefined>)[name]
  return Array.isArray(value) ? value[0] : value
}

/**
 * Returns the request body as a stream, with its Content-Range. A reader that stops early keeps the
 * connection open for the response.
 * @throws DistributionError BLOB_UPLOAD_INVALID, SIZE_INVALID
 */
export function requestChunk({ headers, raw }: FastifyRequest): UploadChunk {
  const range = parseContentRange(headers['content-range'], headers['content-length'])
  return { bytes: raw.iterator({ destroyOnReturn: false }), ...(range !== undefined && { range }) }
}

/** The error for a method that the endpoint does not support. @param allowed methods, comma separated */
export function methodNotAllowed({ method }: FastifyRequest, allowed: string): DistributionError {
  const message = `${method} is not supported by this endpoint; it supports ${allowed}`
  return new DistributionError('UNSUPPORTED', 405, message, { headers: { allow: allowed } })
}
