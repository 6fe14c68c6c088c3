import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import type { Digest } from '../../oci/digest.ts'
import { parseManifestOrIndex } from '../../oci/documents.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { Repository } from '../../registry/repository.ts'
import type { SerializedDocument } from '../output/assemble-image.ts'
import { type EnsureResult, ensureBlob } from './ensure-blob.ts'

/**
 * Ensures that a repository has a complete image or index: every manifest and every blob that it refers to.
 * Blobs are mounted and manifests copied from another repository of the same registry if necessary.
 * @param origin the repository that the image was last known to be in
 * @returns all its manifests by digest, if all of the content is present
 * @throws RegistryError of the target; DocumentError
 */
export async function ensureImage(
  target: Repository,
  origin: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<ReadonlyMap<Digest, SerializedDocument> | Exclude<EnsureResult, 'present'>> {
  const existing = await findManifest(target, digest, signal)
  const document = existing ?? (await findManifestInOrigin(target, origin, digest, signal))
  if (document === undefined || document === 'not-mountable') return document ?? 'missing'
  const documents = new Map<Digest, SerializedDocument>([[digest, document]])
  const { bytes, descriptor } = document
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType, `manifest ${digest}`)
  if (parsed.kind === 'index') {
    const children = await allOrAbort(parsed.index.manifests, signal, (child, _, childSignal) =>
      ensureImage(target, origin, child.digest, childSignal),
    )
    for (const child of children) {
      if (typeof child === 'string') return child
      for (const [childDigest, childDocument] of child) documents.set(childDigest, childDocument)
    }
  } else {
    const blobs = [parsed.manifest.config, ...parsed.manifest.layers]
    const results = await allOrAbort(blobs, signal, (blob, _, blobSignal) =>
      ensureBlob(target, origin, blob, blobSignal),
    )
    for (const result of results) if (result !== 'present') return result
  }
  if (!existing) await target.putManifest(bytes, descriptor.mediaType, digest, { signal })
  return documents
}

async function findManifestInOrigin(
  target: Repository,
  origin: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<SerializedDocument | 'not-mountable' | undefined> {
  if (origin.repository === target.repository) return undefined
  try {
    return await findManifest(origin, digest, signal)
  } catch {
    signal.throwIfAborted()
    return 'not-mountable'
  }
}

async function findManifest(
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<SerializedDocument | undefined> {
  try {
    return await repository.getManifest(digest, { signal })
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}
