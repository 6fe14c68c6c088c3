import type { Readable } from 'node:stream'
import { Digester } from '../../bytes/digester.ts'
import type { BlobDescriptor } from '../blobs/blob-request.ts'
import { RegistryError, type RegistryErrorCode } from '../errors.ts'
import type { RepositorySession } from '../repository-session.ts'
import { isStoredDespite } from './confirm-upload.ts'
import { isUnsupported } from './upload-fallback.ts'
import { UploadSession } from './upload-session.ts'
import { UploadSource } from './upload-source.ts'

export type UploadStreamOptions = {
  readonly signal?: AbortSignal | undefined
  /**
   * Returns the descriptor of the stream once it has ended, undefined before; default: the stream is hashed.
   */
  readonly descriptor?: (() => BlobDescriptor | undefined) | undefined
}

/** Failures that do not mean that the registry rejects streams. */
const NOT_A_REJECTION: ReadonlySet<RegistryErrorCode> = new Set([
  'UNAUTHORIZED',
  'DENIED',
  'RATE_LIMITED',
  'NETWORK',
  'STORAGE_FULL',
  'QUOTA_EXCEEDED',
])

/**
 * Uploads a stream of unknown size in one PATCH and an empty PUT with its digest, which the registry
 * verifies.
 * @throws RegistryError STREAMING_REFUSED, immediately if the host is known to reject streams; NETWORK if the
 * upload broke off, with part of the source consumed; what the source throws
 */
export async function uploadStream(
  session: RepositorySession,
  source: AsyncIterable<Uint8Array>,
  descriptor: UploadStreamOptions['descriptor'],
): Promise<BlobDescriptor> {
  const { registry, signal } = session
  const { uploads } = registry
  if (uploads.rejectsStreams) throw streamRejected(session)
  const upload = await UploadSession.open(session)
  const uploadSource = new UploadSource(registry.writeIdleMs, registry.countSent)
  const digester = new Digester()
  try {
    const body = () => uploadSource.streamed(source, descriptor ? undefined : digester)
    await upload.patch(openOnce(body, session))
    const blob = descriptor ? descriptor() : digester.finish()
    if (!blob) throw interrupted(session, 'responded before it had received the whole blob')
    await commit(session, upload, blob)
    uploads.recordStreamSuccess()
    return blob
  } catch (error) {
    await upload.cancel()
    signal?.throwIfAborted()
    uploadSource.throwIfFailed()
    if (!(error instanceof RegistryError)) throw error
    if (isRejection(error)) throw streamRejected(session, error)
    // Some registries fail on a stream that they do not support. One that requests a wait has understood it.
    if (error.retryable && error.retryAfterMs === undefined) uploads.recordBrokenStream()
    throw uploads.rejectsStreams ? streamRejected(session, error) : error
  }
}

/**
 * Commits the upload. A commit that failed although the registry stored the blob succeeds.
 * @throws RegistryError
 */
async function commit(
  session: RepositorySession,
  upload: UploadSession,
  { digest }: BlobDescriptor,
): Promise<void> {
  try {
    await upload.commit(digest)
  } catch (error) {
    session.signal?.throwIfAborted()
    if (!(error instanceof RegistryError)) throw error
    if (!(await isStoredDespite(error, session, digest))) throw error
  }
}

/**
 * Whether the registry rejected the upload because it is a stream: by 501, by UNSUPPORTED, or by a client
 * error.
 */
function isRejection(error: RegistryError): boolean {
  if (isUnsupported(error)) return true
  return error.code === 'UNAVAILABLE' ? !error.retryable : !NOT_A_REJECTION.has(error.code)
}

/** Guards a body that cannot be opened again when a token is rejected during the upload. */
function openOnce(open: () => Readable, session: RepositorySession): () => Readable {
  let isOpened = false
  return () => {
    if (isOpened) throw interrupted(session, 'rejected the token during the upload')
    isOpened = true
    return open()
  }
}

/** Records that the host rejects streams, and returns the error. */
function streamRejected({ registry, repository }: RepositorySession, cause?: RegistryError): RegistryError {
  registry.uploads.recordStreamRejection()
  return new RegistryError('STREAMING_REFUSED', {
    operation: `stream a blob to ${repository}`,
    host: registry.host,
    reason: `accepts no upload of unknown length${cause ? `: it ${cause.reason}` : ''}`,
    status: cause?.status,
    cause,
  })
}

function interrupted({ host, repository }: RepositorySession, reason: string): RegistryError {
  const operation = `stream a blob to ${repository}`
  return new RegistryError('NETWORK', { operation, host, reason, retryable: true })
}
