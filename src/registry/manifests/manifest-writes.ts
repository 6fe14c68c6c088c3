import { z } from 'zod'
import { verifyBytes } from '../../bytes/verify.ts'
import { type Digest, digestOf, isDigest } from '../../oci/digest.ts'
import { Descriptor, parseDocument } from '../../oci/documents.ts'
import { deleteScope, pushScope } from '../auth/scopes.ts'
import { RegistryError } from '../errors.ts'
import type { RegistryHost } from '../host.ts'
import { pauseBeforeRetry } from '../transport/retry.ts'
import { getManifest, resolveManifest } from './manifests.ts'
import { addReferrer, removeReferrer } from './referrers-tag.ts'

/** What most registries take; larger ones are refused, by 413 or not. */
const COMMON_PUSH_LIMIT = 4 * 1024 * 1024
/** Pushes of a manifest whose blobs the registry does not see yet. */
const BLOB_UNKNOWN_TRIES = 4

/** The fields of a manifest or index that say how it refers to its subject. */
const Referring = z.looseObject({
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: z.looseObject({ mediaType: z.string().optional() }).nullish(),
  subject: Descriptor.nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
})
type Referring = z.infer<typeof Referring>

/**
 * Puts a manifest under a tag or its digest. A tag that has it already is left alone, so a tag that may not be
 * changed is no failure then. Lists it as a referrer of its subject where the registry does not do that.
 * @throws RegistryError; DocumentError when the bytes are no JSON document
 */
export async function putManifest(
  registry: RegistryHost,
  repository: string,
  put: { bytes: Uint8Array; mediaType: string; tagOrDigest: string },
  signal?: AbortSignal,
): Promise<Descriptor> {
  const { bytes, mediaType, tagOrDigest } = put
  const document = parseDocument(Referring, bytes, `manifest ${tagOrDigest}`)
  const descriptor: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
  if (isDigest(tagOrDigest)) verifyBytes(bytes, { digest: tagOrDigest }, `manifest ${tagOrDigest}`)
  const there = await isThere(registry, repository, tagOrDigest, descriptor, signal)
  const listed = there ? false : await send(registry, repository, put, descriptor, signal)
  const subject = document.subject?.digest
  if (subject !== undefined && !listed) {
    await addReferrer(registry, repository, subject, referrer(descriptor, document), signal)
  }
  return descriptor
}

function referrer(descriptor: Descriptor, document: Referring): Descriptor {
  const artifactType = document.artifactType || document.config?.mediaType
  const annotations = document.annotations
  return { ...descriptor, ...(artifactType && { artifactType }), ...(annotations && { annotations }) }
}

/** Sends a manifest; true when the registry lists it as a referrer of its subject (`OCI-Subject`). */
async function send(
  registry: RegistryHost,
  repository: string,
  put: { bytes: Uint8Array; mediaType: string; tagOrDigest: string },
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const operation = `put manifest ${put.tagOrDigest} to ${repository}`
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await registry.tell({
        operation,
        method: 'PUT',
        url: `/v2/${repository}/manifests/${put.tagOrDigest}`,
        scopes: [pushScope(repository)],
        headers: { 'content-type': put.mediaType },
        body: put.bytes,
        fresh: true,
        expect: [200, 201, 202, 204],
        signal,
      })
      return answer.header('oci-subject') !== undefined
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof RegistryError)) throw error
      const unseen = error.registryCodes.some((code) => /^(MANIFEST_)?BLOB_UNKNOWN$/.test(code))
      if (unseen && attempt < BLOB_UNKNOWN_TRIES) {
        await pauseBeforeRetry(error, attempt, registry.retry, signal)
        continue
      }
      // An earlier try, or another broker, was quicker.
      if (await isThere(registry, repository, put.tagOrDigest, descriptor, signal)) return false
      if (error.code !== 'BAD_REQUEST' || put.bytes.length <= COMMON_PUSH_LIMIT) throw error
      const why = `refused a manifest of ${put.bytes.length} bytes; ${COMMON_PUSH_LIMIT} is the common limit`
      const { status } = error
      throw new RegistryError('TOO_LARGE', { operation, host: registry.host, why, status, cause: error })
    }
  }
}

/** Whether the tag or digest stands for this manifest already. A look that fails says nothing: the push will. */
async function isThere(
  registry: RegistryHost,
  repository: string,
  tagOrDigest: string,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    const scope = pushScope(repository)
    const found = await resolveManifest(registry, repository, tagOrDigest, signal, scope)
    return found?.digest === descriptor.digest
  } catch {
    signal?.throwIfAborted()
    return false
  }
}

/**
 * Deletes a manifest or tag, and takes a manifest off the fallback list of its subject.
 * @throws RegistryError NOT_FOUND; BAD_REQUEST where nothing, or no tag, can be deleted
 */
export async function deleteManifest(
  registry: RegistryHost,
  repository: string,
  tagOrDigest: string,
  signal?: AbortSignal,
): Promise<void> {
  const subject = isDigest(tagOrDigest)
    ? await subjectOf(registry, repository, tagOrDigest, signal)
    : undefined
  await registry.tell({
    operation: `delete manifest ${tagOrDigest} of ${repository}`,
    method: 'DELETE',
    url: `/v2/${repository}/manifests/${tagOrDigest}`,
    scopes: [deleteScope(repository)],
    expect: [200, 202, 204],
    signal,
  })
  if (subject !== undefined && isDigest(tagOrDigest)) {
    await removeReferrer(registry, repository, subject, tagOrDigest, signal)
  }
}

async function subjectOf(
  registry: RegistryHost,
  repository: string,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  const { bytes } = await getManifest(registry, repository, digest, signal, deleteScope(repository))
  const document = Referring.safeParse(JSON.parse(bytes.toString('utf8')))
  return document.success ? document.data.subject?.digest : undefined
}
