import { RegistryError, type RegistryErrorCode } from '../errors.ts'
import { MAX_RETRY_AFTER_MS } from '../transport/retry.ts'
import type { UploadMethod } from './upload-capabilities.ts'

/** Attempts to send one blob, with all methods together. */
const MAX_ATTEMPTS = 6
/**
 * After this many attempts a network failure switches to chunks: a closed connection may mean that the body
 * is too large.
 */
const ATTEMPTS_BEFORE_CHUNKS = 2
/** A registry is considered to reject chunks when it has lost this many chunked uploads of the blob. */
const MAX_LOST_UPLOADS = 2

/** Failures that another upload method does not avoid. */
const FINAL_FAILURES: ReadonlySet<RegistryErrorCode> = new Set([
  'UNAUTHORIZED',
  'DENIED',
  'HOST_NOT_ALLOWED',
  'REPOSITORY_NOT_ALLOWED',
  'INVALID_RESPONSE',
  'STORAGE_FULL',
  'QUOTA_EXCEEDED',
])

/** The methods to try after a method was rejected, in order of preference. */
const AFTER_REJECTION: Readonly<Record<UploadMethod, readonly UploadMethod[]>> = {
  monolithic: ['single-patch', 'chunked'],
  'single-patch': ['chunked', 'monolithic'],
  chunked: ['monolithic', 'single-patch'],
}
const AFTER_TOO_LARGE: readonly UploadMethod[] = ['chunked', 'single-patch', 'monolithic']

/**
 * Whether the registry reports that it does not support the request (distribution-spec 1.1, "Error Codes").
 */
export function isUnsupported({ status, registryCodes }: RegistryError): boolean {
  return status === 501 || registryCodes.includes('UNSUPPORTED')
}

/** Selects the method for each attempt to send one blob of known size. */
export class UploadFallback {
  #method: UploadMethod
  #attempts = 0
  #lostUploads = 0
  readonly #rejections = new Map<UploadMethod, RegistryError>()

  /** @param first the method that worked for this host before */
  constructor(first: UploadMethod) {
    this.#method = first
  }

  /** The method of the next attempt. */
  get method(): UploadMethod {
    return this.#method
  }

  /** Records a failure and selects the next method; returns false if no attempt is left. */
  recordFailure(error: RegistryError): boolean {
    this.#attempts += 1
    const isFinal = FINAL_FAILURES.has(error.code) && !isUnsupported(error)
    if (this.#attempts >= MAX_ATTEMPTS || isFinal) return false
    if ((error.retryAfterMs ?? 0) > MAX_RETRY_AFTER_MS) return false
    if (error.code === 'NETWORK') {
      // Chunks also lose fewer bytes on an unreliable connection.
      const usesChunks = this.#attempts >= ATTEMPTS_BEFORE_CHUNKS && !this.#rejections.has('chunked')
      if (usesChunks) this.#method = 'chunked'
      return error.retryable
    }
    return error.retryable || this.#recordLostUpload(error) || this.#recordRejection(error)
  }

  /** Returns whether the registry lost the chunks sent so far, and another chunked upload may be tried. */
  #recordLostUpload({ status }: RegistryError): boolean {
    if (this.#method !== 'chunked' || (status !== 404 && status !== 416)) return false
    this.#lostUploads += 1
    return this.#lostUploads < MAX_LOST_UPLOADS
  }

  /** Returns whether there is a method that was not rejected yet, and selects it. */
  #recordRejection(error: RegistryError): boolean {
    this.#rejections.set(this.#method, error)
    const candidates = error.code === 'TOO_LARGE' ? AFTER_TOO_LARGE : AFTER_REJECTION[this.#method]
    const next = candidates.find((method) => !this.#rejections.has(method))
    if (next === undefined) return false
    this.#method = next
    return true
  }

  /** Returns the error of the upload: the first of several rejections, with the reasons of the others. */
  finalError(last: RegistryError): RegistryError {
    const [first, ...others] = this.#rejections
    if (first === undefined || others.length === 0 || this.#rejections.get(this.#method) !== last) return last
    const [firstMethod, error] = first
    const otherReasons = others.map(([method, { reason }]) => `to the ${method} upload it ${reason}`)
    const reason = [`${error.reason} to the ${firstMethod} upload`, ...otherReasons].join('; ')
    return new RegistryError(error.code, { ...error, reason, cause: last })
  }
}
