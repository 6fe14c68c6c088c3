import { RegistryError, type RegistryErrorCode } from '../errors.ts'
import { MAX_RETRY_AFTER_MS } from '../transport/retry.ts'
import type { UploadMethod } from './upload-methods.ts'

/** Sendings of one blob, in all ways together. */
const ATTEMPTS = 6
/** Breaks after which chunks are sent: a refusal of a large body may show as a closed connection only. */
const BREAKS = 2
/** Uploads in chunks that a registry lost, after which it is taken to refuse them. */
const LOST_UPLOADS = 2

/** What no other way of sending will change. */
const LASTING: ReadonlySet<RegistryErrorCode> = new Set([
  'UNAUTHORIZED',
  'DENIED',
  'HOST_NOT_ALLOWED',
  'INVALID_RESPONSE',
  'STORAGE_FULL',
  'QUOTA_EXCEEDED',
])

/** What is tried after a way was refused, the best one first. */
const AFTER_REFUSAL: Readonly<Record<UploadMethod, readonly UploadMethod[]>> = {
  whole: ['patch', 'chunks'],
  patch: ['chunks', 'whole'],
  chunks: ['whole', 'patch'],
}
const AFTER_TOO_LARGE: readonly UploadMethod[] = ['chunks', 'patch', 'whole']

const NAMES: Readonly<Record<UploadMethod, string>> = {
  whole: 'whole',
  patch: 'in one PATCH',
  chunks: 'in chunks',
}

/** Whether a registry says of itself that it does not do such a thing (distribution-spec 1.1, "Error Codes"). */
export function isUnsupported({ status, registryCodes }: RegistryError): boolean {
  return status === 501 || registryCodes.includes('UNSUPPORTED')
}

/** The ways in which one blob of known size can still be sent. */
export class UploadFallback {
  #way: UploadMethod
  #attempts = 0
  #lost = 0
  readonly #refusals = new Map<UploadMethod, RegistryError>()

  /** @param first what worked for this host before */
  constructor(first: UploadMethod) {
    this.#way = first
  }

  /** The way for the next try. */
  get way(): UploadMethod {
    return this.#way
  }

  /** Takes a failure into account; false when there is nothing left to try. */
  goOn(error: RegistryError): boolean {
    this.#attempts += 1
    const isLasting = LASTING.has(error.code) && !isUnsupported(error)
    if (this.#attempts >= ATTEMPTS || isLasting) return false
    if ((error.retryAfterMs ?? 0) > MAX_RETRY_AFTER_MS) return false
    if (error.code === 'NETWORK') {
      // Chunks also lose less to a bad line.
      if (this.#attempts >= BREAKS && !this.#refusals.has('chunks')) this.#way = 'chunks'
      return error.retryable
    }
    return error.retryable || this.#isLost(error) || this.#refused(error)
  }

  /** Chunks are the one way in which a registry can lose what it had. */
  #isLost({ status }: RegistryError): boolean {
    if (this.#way !== 'chunks' || (status !== 404 && status !== 416)) return false
    this.#lost += 1
    return this.#lost < LOST_UPLOADS
  }

  #refused(error: RegistryError): boolean {
    this.#refusals.set(this.#way, error)
    const order = error.code === 'TOO_LARGE' ? AFTER_TOO_LARGE : AFTER_REFUSAL[this.#way]
    const next = order.find((way) => !this.#refusals.has(way))
    if (next === undefined) return false
    this.#way = next
    return true
  }

  /** What the upload fails with: of several refusals the first, with what was answered to the others. */
  failure(last: RegistryError): RegistryError {
    const [first, ...others] = this.#refusals
    if (first === undefined || others.length === 0 || this.#refusals.get(this.#way) !== last) return last
    const [, error] = first
    const told = others.map(([way, { why }]) => `${NAMES[way]} it ${why}`)
    const why = [`${error.why} to the blob sent ${NAMES[first[0]]}`, ...told].join('; ')
    return new RegistryError(error.code, { ...error, why, cause: last })
  }
}
