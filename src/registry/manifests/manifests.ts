import { z } from 'zod'
import { verifyBytes } from '../../bytes/verify.ts'
import { digestOf, isDigest } from '../../oci/digest.ts'
import { Digest } from '../../oci/digest-schema.ts'
import { isSchema1, schema1Error } from '../../oci/docker-schema-1.ts'
import type { Descriptor } from '../../oci/documents.ts'
import { MANIFEST_TYPES } from '../../oci/media-types.ts'
import { pullScope } from '../auth/scopes.ts'
import { RegistryError } from '../errors.ts'
import type { RegistryHost } from '../host.ts'
import { parseResponse } from '../transport/invalid-response.ts'
import type { RegistryResponse } from '../transport/response.ts'
import { checkJson } from '../transport/response-bounds.ts'

/** The common limit of registries for a push is half of this. */
const MANIFEST_BYTES = 8 * 1024 * 1024
/** What servers of plain files call any JSON. */
const GENERIC_TYPES = new Set(['application/json', 'text/plain', 'application/octet-stream', ''])

function manifestRequest(
  repository: string,
  tagOrDigest: string,
  signal: AbortSignal | undefined,
  scope = pullScope(repository),
) {
  return {
    operation: `read manifest ${tagOrDigest} of ${repository}`,
    method: 'GET' as const,
    url: `/v2/${repository}/manifests/${tagOrDigest}`,
    scopes: [scope],
    headers: { accept: MANIFEST_TYPES.join(', ') },
    expect: [200],
    signal,
  }
}

/**
 * What a tag or digest stands for; undefined when there is nothing. HEAD, and GET where HEAD does not tell.
 * @param scope of the token, so that a look before a push uses the token of the push
 */
export async function resolveManifest(
  registry: RegistryHost,
  repository: string,
  tagOrDigest: string,
  signal?: AbortSignal,
  scope?: string,
): Promise<Descriptor | undefined> {
  const request = manifestRequest(repository, tagOrDigest, signal, scope)
  // 401, 403: the reason is in the body of the GET.
  const head = await registry.tell({ ...request, method: 'HEAD', expect: [200, 401, 403, 404, 405] })
  if (head.status === 404) return undefined
  const digest = Digest.safeParse(isDigest(tagOrDigest) ? tagOrDigest : head.header('docker-content-digest'))
  const mediaType = contentType(head)
  // The length of a packed answer is not the manifest's.
  const isWhole = head.length !== undefined && head.encoding === undefined
  const told = head.status === 200 && isWhole && !GENERIC_TYPES.has(mediaType)
  if (told && digest.success) return { mediaType, digest: digest.data, size: head.length ?? 0 }
  try {
    return (await getManifest(registry, repository, tagOrDigest, signal, scope)).descriptor
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

/**
 * Reads a manifest. Its digest is computed here; the registry's word for it is not needed.
 * @throws RegistryError NOT_FOUND, TOO_LARGE, LIMIT_EXCEEDED, INVALID_RESPONSE; DocumentError for Docker's schema 1 by its
 * digest; VerificationError when it is not the one asked for
 */
export async function getManifest(
  registry: RegistryHost,
  repository: string,
  tagOrDigest: string,
  signal?: AbortSignal,
  scope?: string,
): Promise<{ descriptor: Descriptor; bytes: Buffer }> {
  const request = manifestRequest(repository, tagOrDigest, signal, scope)
  const { answer, bytes } = await registry.read(request, MANIFEST_BYTES)
  const place = { operation: request.operation, host: registry.host }
  checkJson(bytes, registry.bounds, place)
  const { mediaType: own, schemaVersion } = parseResponse(
    SaysWhatItIs,
    { answer, bytes },
    'the manifest',
    place,
  )
  const served = contentType(answer)
  if (isDigest(tagOrDigest)) {
    const what = `manifest ${tagOrDigest} of ${repository}`
    // The digest of a signed one leaves its signatures out.
    if (isSchema1(served, schemaVersion)) throw schema1Error(what)
    verifyBytes(bytes, { digest: tagOrDigest }, what)
  }
  if (own !== undefined && served !== own && !GENERIC_TYPES.has(served)) {
    const why = `serves as ${served} what calls itself ${own}`
    throw new RegistryError('INVALID_RESPONSE', { ...place, why })
  }
  return { descriptor: { mediaType: own ?? served, digest: digestOf(bytes), size: bytes.length }, bytes }
}

function contentType(answer: RegistryResponse): string {
  return (answer.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}

/** What is read of a manifest before it is parsed as one. */
const SaysWhatItIs = z.looseObject({
  mediaType: z
    .string()
    .optional()
    .catch(undefined)
    .transform((type) => type || undefined),
  schemaVersion: z.unknown().optional(),
})
