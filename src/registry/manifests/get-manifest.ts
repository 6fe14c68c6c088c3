import { z } from 'zod'
import { verifyBytes } from '../../bytes/verify.ts'
import { digestOf, isDigest } from '../../oci/digest.ts'
import { Digest } from '../../oci/digest-schema.ts'
import { isSchema1, schema1Error } from '../../oci/docker-schema-1.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { MANIFEST_TYPES } from '../../oci/media-types.ts'
import { RegistryError } from '../errors.ts'
import type { RegistryRequest } from '../registry-host.ts'
import type { RepositorySession } from '../repository-session.ts'
import { parseResponse } from '../transport/invalid-response.ts'
import type { RegistryResponse } from '../transport/registry-response.ts'
import { assertJsonBounds } from '../transport/response-bounds.ts'

/** Twice the size that registries commonly accept in a push. */
const MAX_MANIFEST_BYTES = 8 * 1024 * 1024
/** The content types that static file servers use for any JSON. */
const GENERIC_TYPES = new Set(['application/json', 'text/plain', 'application/octet-stream', ''])

/** A manifest or index with its exact bytes. */
export type FetchedManifest = { readonly descriptor: Descriptor; readonly bytes: Buffer }

/** The fields that identify a document before it is parsed as a manifest. */
const DocumentType = z.looseObject({
  mediaType: z
    .string()
    .optional()
    .catch(undefined)
    .transform((type) => type || undefined),
  schemaVersion: z.unknown().optional(),
})

/**
 * Resolves a tag or digest to a descriptor, by HEAD, and by GET if the HEAD response is incomplete.
 * @returns undefined if it does not exist
 * @throws RegistryError
 */
export async function resolveManifest(
  session: RepositorySession,
  tagOrDigest: string,
): Promise<Descriptor | undefined> {
  const request = manifestRequest(session, tagOrDigest)
  // The reason for a 401 or 403 is in the body of the GET response.
  const head = await session.registry.send({
    ...request,
    method: 'HEAD',
    expect: [200, 401, 403, 404, 405],
  })
  if (head.status === 404) return undefined
  const digest = Digest.safeParse(isDigest(tagOrDigest) ? tagOrDigest : head.header('docker-content-digest'))
  const mediaType = contentType(head)
  // The Content-Length of an encoded response is not the size of the manifest.
  const size = head.encoding === undefined ? head.length : undefined
  const isComplete = head.status === 200 && !GENERIC_TYPES.has(mediaType)
  if (isComplete && digest.success && size !== undefined) return { mediaType, digest: digest.data, size }
  try {
    return (await getManifest(session, tagOrDigest)).descriptor
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

/**
 * Reads a manifest. Computes its digest from its bytes; the digest that the registry reports is not used.
 * @throws RegistryError NOT_FOUND, TOO_LARGE, LIMIT_EXCEEDED, INVALID_RESPONSE; VerificationError if the
 * bytes do not match the requested digest; DocumentError for Docker's schema 1, by digest
 */
export async function getManifest(session: RepositorySession, tagOrDigest: string): Promise<FetchedManifest> {
  const { registry, repository } = session
  const request = manifestRequest(session, tagOrDigest)
  const buffered = await registry.read(request, MAX_MANIFEST_BYTES)
  const { response, bytes } = buffered
  assertJsonBounds(bytes, registry.bounds, request)
  const { mediaType, schemaVersion } = parseResponse(DocumentType, buffered, 'a manifest', request)
  const servedType = contentType(response)
  if (isDigest(tagOrDigest)) {
    const what = `manifest ${tagOrDigest} of ${repository}`
    // The digest of a signed schema 1 manifest does not cover its signatures, so the bytes would not match.
    if (isSchema1(servedType, schemaVersion)) throw schema1Error(what)
    verifyBytes(bytes, { digest: tagOrDigest }, what)
  }
  if (mediaType !== undefined && servedType !== mediaType && !GENERIC_TYPES.has(servedType)) {
    const { operation, host } = request
    const reason = `serves the manifest as ${servedType}, but its mediaType is ${mediaType}`
    throw new RegistryError('INVALID_RESPONSE', { operation, host, reason })
  }
  const descriptor = { mediaType: mediaType ?? servedType, digest: digestOf(bytes), size: bytes.length }
  return { descriptor, bytes }
}

function manifestRequest(session: RepositorySession, tagOrDigest: string): RegistryRequest {
  return session.request({
    operation: `read manifest ${tagOrDigest} of ${session.repository}`,
    method: 'GET',
    target: `manifests/${tagOrDigest}`,
    headers: { accept: MANIFEST_TYPES.join(', ') },
    expect: [200],
  })
}

function contentType(response: RegistryResponse): string {
  return (response.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}
