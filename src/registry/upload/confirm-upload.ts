import type { Digest } from '../../oci/digest.ts'
import { getBlobSize } from '../blobs/get-blob-size.ts'
import type { RegistryError, RegistryErrorCode } from '../errors.ts'
import type { RepositorySession } from '../repository-session.ts'
import { waitBeforeRetry } from '../transport/retry.ts'

/** Repeated checks for a blob after a commit without a response: some registries take seconds to show it. */
const MAX_REPEATED_CHECKS = 3

/** Failures after which the registry cannot have stored the blob. */
const NOT_STORED: ReadonlySet<RegistryErrorCode> = new Set([
  'UNAUTHORIZED',
  'DENIED',
  'HOST_NOT_ALLOWED',
  'REPOSITORY_NOT_ALLOWED',
  'QUOTA_EXCEEDED',
])

/** Returns whether the repository has a blob. @throws RegistryError */
export async function hasBlob(session: RepositorySession, digest: Digest): Promise<boolean> {
  return (await getBlobSize(session, digest)) !== undefined
}

/** Returns whether the repository has the blob despite a failed upload. @throws RegistryError */
export async function isStoredDespite(
  error: RegistryError,
  session: RepositorySession,
  digest: Digest,
): Promise<boolean> {
  if (NOT_STORED.has(error.code)) return false
  const mayAppearLate = error.status === undefined || error.retryable || error.status === 404
  for (let check = 1; ; check++) {
    if (await hasBlob(session, digest)) return true
    if (!mayAppearLate || check > MAX_REPEATED_CHECKS) return false
    await waitBeforeRetry(undefined, check, session.registry.retry, session.signal)
  }
}
