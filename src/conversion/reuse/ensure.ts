import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import type { Digest } from '../../oci/digest.ts'
import { parseManifestOrIndex } from '../../oci/documents.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { Repository } from '../../registry/repository.ts'
import type { Document } from '../output/assemble-image.ts'

/** `gone`: it does not lie where it was said to lie. `not-mountable`: it does, and cannot be taken over from there. */
export type EnsureResult = 'there' | 'gone' | 'not-mountable'

type Blob = { readonly digest: Digest; readonly size: number }

/**
 * Makes a repository have a blob that is known to lie in it, or in another one of its registry, without sending its bytes.
 * @throws RegistryError of the target
 */
export async function ensureBlob(
  target: Repository,
  from: Repository,
  blob: Blob,
  signal: AbortSignal,
): Promise<EnsureResult> {
  const size = await target.blobSize(blob.digest, { signal })
  if (size !== undefined) return size === blob.size ? 'there' : 'gone'
  if (from.repository === target.repository) return 'gone'
  if (await target.mountBlob(blob.digest, from.repository, { signal })) return 'there'
  try {
    return (await from.blobSize(blob.digest, { signal })) === blob.size ? 'not-mountable' : 'gone'
  } catch {
    signal.throwIfAborted()
    // Whoever may not look there does not know.
    return 'not-mountable'
  }
}

/**
 * Makes a repository have a whole image, or all of an index, in the same way: everything that it lists is asked for.
 * @returns the manifests by their digests, the asked one among them, when all of it is there
 * @throws RegistryError of the target; DocumentError
 */
export async function ensureImage(
  target: Repository,
  from: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<ReadonlyMap<Digest, Document> | Exclude<EnsureResult, 'there'>> {
  const there = await manifestIn(target, digest, signal)
  const found = there ?? (await manifestElsewhere(target, from, digest, signal))
  if (found === undefined || found === 'not-mountable') return found ?? 'gone'
  const documents = new Map<Digest, Document>([[digest, found]])
  const parsed = parseManifestOrIndex(found.bytes, found.descriptor.mediaType, `manifest ${digest}`)
  if (parsed.kind === 'index') {
    const children = await allOrAbort(parsed.index.manifests, signal, (child, _, either) =>
      ensureImage(target, from, child.digest, either),
    )
    for (const child of children) {
      if (typeof child === 'string') return child
      for (const [name, document] of child) documents.set(name, document)
    }
  } else {
    const blobs = [parsed.manifest.config, ...parsed.manifest.layers]
    const brought = await allOrAbort(blobs, signal, (blob, _, either) =>
      ensureBlob(target, from, blob, either),
    )
    for (const one of brought) if (one !== 'there') return one
  }
  if (!there) {
    const { bytes, descriptor } = found
    await target.putManifest(bytes, descriptor.mediaType, digest, { signal })
  }
  return documents
}

async function manifestElsewhere(
  target: Repository,
  from: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<Document | 'not-mountable' | undefined> {
  if (from.repository === target.repository) return undefined
  try {
    return await manifestIn(from, digest, signal)
  } catch {
    signal.throwIfAborted()
    return 'not-mountable'
  }
}

async function manifestIn(
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): Promise<Document | undefined> {
  try {
    return await repository.manifest(digest, { signal })
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}
