import type { Readable } from 'node:stream'
import type { BlobDescriptor } from '../blobs/blob-request.ts'
import { RegistryError } from '../errors.ts'
import type { RepositorySession } from '../repository-session.ts'
import { waitBeforeRetry } from '../transport/retry.ts'
import { ChunkedUpload } from './chunked-upload.ts'
import { hasBlob, isStoredDespite } from './confirm-upload.ts'
import type { UploadMethod } from './upload-capabilities.ts'
import { UploadFallback } from './upload-fallback.ts'
import { type MountSource, UploadSession } from './upload-session.ts'
import { type BlobSource, UploadSource } from './upload-source.ts'

export type PushBlobOptions = {
  readonly signal?: AbortSignal | undefined
  /** Uploads the blob without checking first whether the repository has it. */
  readonly skipCheck?: boolean
  /** A repository of the same registry that has the blob, which is mounted if possible. */
  readonly mountFrom?: string | undefined
}

/**
 * Uploads a blob of known size with the first method that the registry accepts, and remembers that method for
 * the host. After a failure it checks whether the registry has stored the blob before it sends the blob
 * again.
 * @throws RegistryError; VerificationError if the source is not the blob; what the source throws
 */
export async function pushBlob(
  session: RepositorySession,
  blob: BlobDescriptor,
  source: BlobSource,
  options: Omit<PushBlobOptions, 'signal'> = {},
): Promise<void> {
  const { registry, signal } = session
  if (!options.skipCheck && (await hasBlob(session, blob.digest))) return
  let upload = await mountOrOpen(session, blob, options.mountFrom)
  const fallback = new UploadFallback(registry.uploads.method)
  for (let attempt = 1; upload !== 'mounted'; attempt++) {
    const uploadSource = new UploadSource(registry.writeIdleMs, registry.countSent)
    const content = { size: blob.size, body: () => uploadSource.verified(source, blob) }
    try {
      await send(session, upload, fallback.method, { digest: blob.digest, ...content })
      registry.uploads.method = fallback.method
      return
    } catch (error) {
      if (signal?.aborted || !(error instanceof RegistryError)) await upload.cancel()
      signal?.throwIfAborted()
      uploadSource.throwIfFailed()
      if (!(error instanceof RegistryError)) throw error
      if (await isStoredDespite(error, session, blob.digest)) return
      await upload.cancel()
      if (!fallback.recordFailure(error)) throw fallback.finalError(error)
      if (error.retryable) await waitBeforeRetry(error, attempt, registry.retry, signal)
      upload = await UploadSession.open(session)
    }
  }
}

/**
 * Mounts a blob of another repository. Returns false if the registry did not, and cancels the upload that it
 * opened.
 */
export async function mountBlob(session: RepositorySession, source: MountSource): Promise<boolean> {
  const upload = await tryMount(session, source)
  if (upload === 'mounted') return true
  await upload?.cancel()
  return false
}

/**
 * Mounts the blob if `mountFrom` is given, and otherwise, or if that fails, opens an upload.
 * @throws RegistryError
 */
async function mountOrOpen(
  session: RepositorySession,
  { digest }: BlobDescriptor,
  mountFrom: string | undefined,
): Promise<UploadSession | 'mounted'> {
  const mounted = mountFrom === undefined ? undefined : await tryMount(session, { digest, from: mountFrom })
  return mounted ?? UploadSession.open(session)
}

/**
 * Tries to mount a blob. Returns undefined if the registry rejects, or if the source must not be read.
 * @throws RegistryError REPOSITORY_NOT_ALLOWED for the target; the signal's reason
 */
async function tryMount(
  session: RepositorySession,
  source: MountSource,
): Promise<UploadSession | 'mounted' | undefined> {
  session.assertAllowed(session.repository, 'write', `mount a blob in ${session.repository}`)
  try {
    return await UploadSession.mount(session, source)
  } catch (error) {
    session.signal?.throwIfAborted()
    if (!(error instanceof RegistryError)) throw error
    return undefined
  }
}

async function send(
  session: RepositorySession,
  upload: UploadSession,
  method: UploadMethod,
  { digest, ...content }: BlobDescriptor & { readonly body: () => Readable },
): Promise<void> {
  switch (method) {
    case 'monolithic':
      return upload.commit(digest, content)
    case 'single-patch':
      await upload.patch(content.body)
      break
    case 'chunked':
      await new ChunkedUpload(session, upload).send(content.body())
  }
  await upload.commit(digest)
}
