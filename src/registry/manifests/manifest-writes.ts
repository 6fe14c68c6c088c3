import { z } from 'zod'
import { verifyBytes } from '../../bytes/verify.ts'
import { type Digest, digestOf, isDigest } from '../../oci/digest.ts'
import { Descriptor, parseDocument } from '../../oci/documents.ts'
import { RegistryError } from '../errors.ts'
import type { RepositorySession } from '../repository-session.ts'
import { waitBeforeRetry } from '../transport/retry.ts'
import { getManifest, resolveManifest } from './get-manifest.ts'
import { addReferrer, removeReferrer } from './referrers-tag.ts'

/** The size that most registries accept. They reject a larger manifest with 413, or with another status. */
const COMMON_SIZE_LIMIT = 4 * 1024 * 1024
/** Attempts to put a manifest whose blobs the registry does not see yet. */
const MAX_BLOB_UNKNOWN_ATTEMPTS = 4

/** The fields of a manifest or index from which its descriptor in a list of referrers is built. */
const ReferrerFields = z.looseObject({
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: z.looseObject({ mediaType: z.string().optional() }).nullish(),
  subject: Descriptor.nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
})
type ReferrerFields = z.infer<typeof ReferrerFields>

/** A manifest to put under a tag or its digest. */
export type ManifestToPut = {
  readonly bytes: Uint8Array
  readonly mediaType: string
  readonly tagOrDigest: string
}

/**
 * Puts a manifest under a tag or its digest, unless it is there already: an immutable tag is not an error
 * then. Adds it to the fallback list of its subject if the registry does not list it as a referrer.
 * @throws RegistryError; DocumentError if the bytes are not JSON; VerificationError if they do not match the
 * digest
 */
export async function putManifest(session: RepositorySession, manifest: ManifestToPut): Promise<Descriptor> {
  const { bytes, mediaType, tagOrDigest } = manifest
  const what = `manifest ${tagOrDigest}`
  const document = parseDocument(ReferrerFields, bytes, what)
  const descriptor: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
  if (isDigest(tagOrDigest)) verifyBytes(bytes, { digest: tagOrDigest }, what)
  const exists = await resolvesTo(session, tagOrDigest, descriptor.digest)
  const isListed = exists ? false : await send(session, manifest, descriptor.digest)
  const subject = document.subject?.digest
  if (subject !== undefined && !isListed) {
    await addReferrer(session, subject, referrerDescriptor(descriptor, document))
  }
  return descriptor
}

function referrerDescriptor(descriptor: Descriptor, document: ReferrerFields): Descriptor {
  const artifactType = document.artifactType || document.config?.mediaType
  const annotations = document.annotations
  return { ...descriptor, ...(artifactType && { artifactType }), ...(annotations && { annotations }) }
}

/** Sends a manifest. Returns whether the registry lists it as a referrer of its subject (`OCI-Subject`). */
async function send(session: RepositorySession, manifest: ManifestToPut, digest: Digest): Promise<boolean> {
  const { registry, repository, signal } = session
  const { bytes, mediaType, tagOrDigest } = manifest
  const request = session.request({
    operation: `put manifest ${tagOrDigest} to ${repository}`,
    method: 'PUT',
    target: `manifests/${tagOrDigest}`,
    headers: { 'content-type': mediaType },
    body: bytes,
    freshToken: true,
    expect: [200, 201, 202, 204],
  })
  for (let attempt = 1; ; attempt++) {
    try {
      return (await registry.send(request)).header('oci-subject') !== undefined
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof RegistryError)) throw error
      const isBlobUnknown = error.registryCodes.some((code) => /^(MANIFEST_)?BLOB_UNKNOWN$/.test(code))
      if (isBlobUnknown && attempt < MAX_BLOB_UNKNOWN_ATTEMPTS) {
        await waitBeforeRetry(error, attempt, registry.retry, signal)
        continue
      }
      // An earlier attempt, or another broker, may have put it.
      if (await resolvesTo(session, tagOrDigest, digest)) return false
      throw bytes.length > COMMON_SIZE_LIMIT ? asTooLarge(error, bytes.length) : error
    }
  }
}

/** Converts a BAD_REQUEST for a large manifest: some registries do not use 413. */
function asTooLarge(error: RegistryError, size: number): RegistryError {
  if (error.code !== 'BAD_REQUEST') return error
  const { operation, host, status } = error
  const reason = `rejected a manifest of ${size} bytes; many registries accept at most ${COMMON_SIZE_LIMIT}: it ${error.reason}`
  return new RegistryError('TOO_LARGE', { operation, host, reason, status, cause: error })
}

/**
 * Returns whether a tag or digest resolves to a digest; false if the check fails: the push will report the
 * cause.
 */
async function resolvesTo(session: RepositorySession, tagOrDigest: string, digest: Digest): Promise<boolean> {
  try {
    return (await resolveManifest(session, tagOrDigest))?.digest === digest
  } catch {
    session.signal?.throwIfAborted()
    return false
  }
}

/**
 * Deletes a manifest or tag, and removes a manifest from the fallback list of its subject.
 * @throws RegistryError NOT_FOUND; BAD_REQUEST if the registry does not support deletion, or not of tags
 */
export async function deleteManifest(session: RepositorySession, tagOrDigest: string): Promise<void> {
  const digest = isDigest(tagOrDigest) ? tagOrDigest : undefined
  const subject = digest && (await getSubject(session, digest))
  await session.registry.send(
    session.request({
      operation: `delete manifest ${tagOrDigest} of ${session.repository}`,
      method: 'DELETE',
      target: `manifests/${tagOrDigest}`,
      expect: [200, 202, 204],
    }),
  )
  if (subject && digest) await removeReferrer(session, subject, digest)
}

async function getSubject(session: RepositorySession, digest: Digest): Promise<Digest | undefined> {
  const { bytes } = await getManifest(session, digest)
  const document = ReferrerFields.safeParse(JSON.parse(bytes.toString('utf8')))
  return document.success ? document.data.subject?.digest : undefined
}
