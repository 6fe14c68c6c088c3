import type { Digest } from '../../oci/digest.ts'
import type { Repository } from '../../registry/repository.ts'

/**
 * Whether the target has the content now. `missing`: the repository that it was last known to be in lacks it.
 * `not-mountable`: it may still be there, but the target cannot mount it.
 */
export type EnsureResult = 'present' | 'missing' | 'not-mountable'

/**
 * Ensures that a repository has a blob, by mounting it from another repository of the same registry if
 * necessary; no bytes are sent.
 * @param origin the repository that the blob was last known to be in; undefined if this project may not read it
 * @throws RegistryError of the target
 */
export async function ensureBlob(
  target: Repository,
  origin: Repository | undefined,
  blob: { readonly digest: Digest; readonly size: number },
  signal: AbortSignal,
): Promise<EnsureResult> {
  const size = await target.blobSize(blob.digest, { signal })
  if (size !== undefined) return size === blob.size ? 'present' : 'missing'
  if (origin === undefined) return 'not-mountable'
  if (origin.repository === target.repository) return 'missing'
  if (await target.mountBlob(blob.digest, origin.repository, { signal })) return 'present'
  try {
    return (await origin.blobSize(blob.digest, { signal })) === blob.size ? 'not-mountable' : 'missing'
  } catch {
    signal.throwIfAborted()
    // Without access to the origin, its content cannot be declared missing.
    return 'not-mountable'
  }
}
