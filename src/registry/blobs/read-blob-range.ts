import { RegistryError, type RequestContext } from '../errors.ts'
import type { RepositorySession } from '../repository-session.ts'
import type { RegistryResponse } from '../transport/registry-response.ts'
import { networkError } from '../transport/response-error.ts'
import { type BlobDescriptor, blobRequest, invalidBlobResponse, parseContentRange } from './blob-request.ts'

/**
 * Reads bytes `[start, end)` of a blob. If the registry ignores Range, its response is read up to `end`.
 * @throws RegistryError BAD_REQUEST for a range outside the blob, and others
 */
export async function readBlobRange(
  session: RepositorySession,
  blob: BlobDescriptor,
  start: number,
  end: number,
): Promise<Buffer> {
  const request = blobRequest(session, blob.digest)
  if (!(start >= 0 && start <= end && end <= blob.size)) {
    const { operation, host } = request
    const reason = `has only ${blob.size} bytes of it: the range [${start}, ${end}) does not exist`
    throw new RegistryError('BAD_REQUEST', { operation, host, reason })
  }
  if (start === end) return Buffer.alloc(0)
  const headers = { range: `bytes=${start}-${end - 1}` }
  return session.registry.consume({ ...request, headers, expect: [200, 206] }, async (response) => {
    if (response.status === 200) return readSlice(response, start, end, request)
    const sent = parseContentRange(response)
    if (sent?.start !== start || sent.end !== end - 1 || (sent.total ?? blob.size) !== blob.size) {
      response.body.destroy()
      const range = response.header('content-range')
      throw invalidBlobResponse(request, `sent the range ${range} for the requested [${start}, ${end})`)
    }
    return readSlice(response, 0, end - start, request)
  })
}

/** Reads bytes `[start, end)` of a response body, and stops there. @throws RegistryError NETWORK */
async function readSlice(
  response: RegistryResponse,
  start: number,
  end: number,
  context: RequestContext,
): Promise<Buffer> {
  const slice = Buffer.allocUnsafe(end - start)
  let position = 0
  try {
    for await (const piece of response.pieces()) {
      const part = piece.subarray(
        Math.min(piece.length, Math.max(0, start - position)),
        Math.max(0, end - position),
      )
      part.copy(slice, Math.max(0, position - start))
      position += piece.length
      if (position >= end) break
    }
  } catch (error) {
    throw networkError(error, context)
  }
  if (position < end) throw networkError(new Error('the response ended early'), context)
  return slice
}
