import type { Digest } from '../../oci/digest.ts'
import { RegistryError, type RequestContext } from '../errors.ts'
import type { RegistryRequest } from '../registry-host.ts'
import type { RepositorySession } from '../repository-session.ts'
import type { RegistryResponse } from '../transport/registry-response.ts'

/** The identity of a blob. `size` is in bytes. */
export type BlobDescriptor = { readonly digest: Digest; readonly size: number }

/** The GET request of a blob. */
export function blobRequest(session: RepositorySession, digest: Digest): RegistryRequest {
  return session.request({
    operation: `read blob ${digest} of ${session.repository}`,
    method: 'GET',
    target: `blobs/${digest}`,
    expect: [200],
  })
}

/** A Content-Range; `end` is inclusive. */
export type ContentRange = { readonly start?: number; readonly end?: number; readonly total?: number }

/**
 * Parses Content-Range: `bytes START-END/TOTAL`, `bytes START-END/*` or `bytes * /TOTAL` (RFC 9110, 14.4).
 */
export function parseContentRange(response: RegistryResponse): ContentRange | undefined {
  const match = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(?:(\d{1,15})|\*)$/.exec(
    response.header('content-range') ?? '',
  )
  if (!match) return undefined
  const [, start, end, total] = match
  return {
    ...(start !== undefined && { start: Number(start) }),
    ...(end !== undefined && { end: Number(end) }),
    ...(total !== undefined && { total: Number(total) }),
  }
}

export function invalidBlobResponse({ operation, host }: RequestContext, reason: string): RegistryError {
  return new RegistryError('INVALID_RESPONSE', { operation, host, reason })
}
