import type { Readable } from 'node:stream'
import { Digester } from '../../bytes/digester.ts'
import type { Digest } from '../../oci/digest.ts'
import { pushScope } from '../auth/scopes.ts'
import { statBlob } from '../blobs.ts'
import { RegistryError, type RegistryErrorCode } from '../errors.ts'
import type { RegistryHost } from '../host.ts'
import { pauseBeforeRetry } from '../transport/retry.ts'
import { sendChunks } from './chunked-upload.ts'
import { isUnsupported, UploadFallback } from './upload-fallback.ts'
import type { UploadMethod } from './upload-methods.ts'
import { UploadSession } from './upload-session.ts'
import { type BlobSource, UploadSource } from './upload-source.ts'

export type PushOptions = {
  readonly signal?: AbortSignal | undefined
  /** Does not look whether the blob is there first. */
  readonly skipCheck?: boolean
  /** A repository of the same registry that has the blob: it is mounted where that works. */
  readonly mountFrom?: string | undefined
}

type Blob = { readonly digest: Digest; readonly size: number }

/** Looks for a blob after a commit without an answer: some registries take seconds to show it. */
const LATE_LOOKS = 3

/**
 * Uploads a blob of known size: whole, and where that is refused in one PATCH, then in chunks. What worked is
 * remembered for the host. After a failure the registry is asked for the blob before it is sent again.
 * @throws RegistryError; VerificationError when the source is not the blob; what the source throws
 */
export async function pushBlob(
  registry: RegistryHost,
  repository: string,
  blob: Blob,
  source: BlobSource,
  options: PushOptions,
): Promise<void> {
  const { signal } = options
  const isThere = () => hasBlob(registry, repository, blob.digest, signal)
  if (!options.skipCheck && (await isThere())) return
  let opened = await openForPush(registry, repository, blob, options)
  const ladder = new UploadFallback(registry.uploads.way)
  for (let attempt = 1; opened !== 'mounted'; attempt++) {
    const bytes = new UploadSource(registry.takeMs)
    try {
      await send(registry, opened, ladder.way, blob, source, bytes, signal)
      registry.uploads.way = ladder.way
      return
    } catch (error) {
      if (signal?.aborted || !(error instanceof RegistryError)) await opened.cancel()
      signal?.throwIfAborted()
      bytes.throwIfFailed()
      if (!(error instanceof RegistryError)) throw error
      if (await showsUp(registry, error, isThere, signal)) return
      await opened.cancel()
      if (!ladder.goOn(error)) throw ladder.failure(error)
      if (error.retryable) await pauseBeforeRetry(error, attempt, registry.retry, signal)
      opened = await UploadSession.open(registry, repository, { signal })
    }
  }
}

async function hasBlob(
  registry: RegistryHost,
  repository: string,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return (await statBlob(registry, repository, digest, signal, pushScope(repository))) !== undefined
}

/** Opens the upload, mounting on the way if asked to; a mount that fails in any way costs nothing but itself. */
async function openForPush(
  registry: RegistryHost,
  repository: string,
  blob: Blob,
  options: PushOptions,
): Promise<UploadSession | 'mounted'> {
  const { mountFrom: from, signal } = options
  if (from !== undefined) {
    try {
      return await UploadSession.open(registry, repository, { mount: { digest: blob.digest, from }, signal })
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof RegistryError)) throw error
    }
  }
  return UploadSession.open(registry, repository, { signal })
}

async function send(
  registry: RegistryHost,
  session: UploadSession,
  way: UploadMethod,
  blob: Blob,
  source: BlobSource,
  bytes: UploadSource,
  signal: AbortSignal | undefined,
): Promise<void> {
  const body = () => bytes.verified(source, blob)
  if (way === 'whole') return session.commit(blob.digest, { body, size: blob.size })
  if (way === 'patch') await session.patch(body)
  else await sendChunks(session, body(), registry.uploads, { retry: registry.retry, signal })
  await session.commit(blob.digest)
}

/** Whether the blob is there in spite of a failed commit. */
async function showsUp(
  registry: RegistryHost,
  error: RegistryError,
  isThere: () => Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (['UNAUTHORIZED', 'DENIED', 'HOST_NOT_ALLOWED', 'QUOTA_EXCEEDED'].includes(error.code)) return false
  const mayBeLate = error.status === undefined || error.retryable || error.status === 404
  for (let look = 1; ; look++) {
    if (await isThere()) return true
    if (!mayBeLate || look > LATE_LOOKS) return false
    await pauseBeforeRetry(undefined, look, registry.retry, signal)
  }
}

/** Takes a blob over from another repository. An upload that the registry opened instead is cancelled. */
export async function mountBlob(
  registry: RegistryHost,
  repository: string,
  digest: Digest,
  from: string,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    const opened = await UploadSession.open(registry, repository, { mount: { digest, from }, signal })
    if (opened === 'mounted') return true
    await opened.cancel()
    return false
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof RegistryError) return false
    throw error
  }
}

/** What says something else than "not in this way". */
const NOT_A_REFUSAL: ReadonlySet<RegistryErrorCode> = new Set([
  'UNAUTHORIZED',
  'DENIED',
  'RATE_LIMITED',
  'NETWORK',
  'STORAGE_FULL',
  'QUOTA_EXCEEDED',
])

/** Whether a stream was refused for what it is: 501 and the like say so, also with a code of the registry. */
function isRefusal(error: RegistryError): boolean {
  if (isUnsupported(error)) return true
  return error.code === 'UNAVAILABLE' ? !error.retryable : !NOT_A_REFUSAL.has(error.code)
}

export type StreamOptions = {
  readonly signal?: AbortSignal | undefined
  /** Tells what the stream was once it ended, so that it need not be hashed again; undefined before. */
  readonly made?: (() => Blob | undefined) | undefined
}

/**
 * Uploads a stream of unknown size by one PATCH, then an empty PUT with its digest, by which the registry checks it.
 * @throws RegistryError STREAMING_REFUSED, at once where it is known; NETWORK when it broke off: the bytes are gone
 */
export async function uploadStream(
  registry: RegistryHost,
  repository: string,
  source: AsyncIterable<Uint8Array>,
  options: StreamOptions = {},
): Promise<Blob> {
  const { signal, made } = options
  const refused = (cause?: RegistryError) => {
    registry.uploads.streamRefused()
    const why = `takes no upload of unknown length${cause ? `: it ${cause.why}` : ''}`
    const operation = `stream a blob to ${repository}`
    const { host } = registry
    return new RegistryError('STREAMING_REFUSED', { operation, host, why, status: cause?.status, cause })
  }
  if (registry.uploads.refusesStreams) throw refused()
  const session = await UploadSession.open(registry, repository, { signal })
  if (session === 'mounted') throw refused()
  const bytes = new UploadSource(registry.takeMs)
  const tally = new Digester()
  try {
    await session.patch(once(() => bytes.streamed(source, made ? undefined : tally), registry, repository))
    const blob = made ? made() : tally.finish()
    if (!blob) throw network('answered before it had all of the blob', registry, repository)
    await commitStream(registry, repository, session, blob, signal)
    registry.uploads.streamWorked()
    return blob
  } catch (error) {
    await session.cancel()
    signal?.throwIfAborted()
    bytes.throwIfFailed()
    if (!(error instanceof RegistryError)) throw error
    if (isRefusal(error)) throw refused(error)
    // Some fail at a stream that they do not understand. Who asks to wait has understood it.
    if (error.retryable && error.retryAfterMs === undefined) registry.uploads.streamBroke()
    throw registry.uploads.refusesStreams ? refused(error) : error
  }
}

async function commitStream(
  registry: RegistryHost,
  repository: string,
  session: UploadSession,
  blob: Blob,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await session.commit(blob.digest)
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof RegistryError)) throw error
    const isThere = () => hasBlob(registry, repository, blob.digest, signal)
    if (!(await showsUp(registry, error, isThere, signal))) throw error
  }
}

/** A body that cannot be opened again when a token is refused in the middle of all. */
function once(open: () => Readable, registry: RegistryHost, repository: string): () => Readable {
  let opened = false
  return () => {
    if (opened) {
      throw network('refused the token of an upload under way', registry, repository)
    }
    opened = true
    return open()
  }
}

function network(why: string, { host }: RegistryHost, repository: string): RegistryError {
  return new RegistryError('NETWORK', {
    operation: `stream a blob to ${repository}`,
    host,
    why,
    retryable: true,
  })
}
