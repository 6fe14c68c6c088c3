/** What can be wrong with a conversion, beyond what registries, layers and records say themselves. */
export type ConversionErrorCode =
  | 'NOT_AN_IMAGE'
  | 'INVALID_IMAGE'
  | 'PLATFORM_NOT_FOUND'
  | 'PLATFORM_NEEDED'
  | 'NOTHING_LEFT'
  | 'UNSUPPORTED_LAYER'
  | 'TARGET_EXISTS'
  | 'TAG_CHANGED'
  | 'RECORD_NOT_FOUND'
  | 'NOTHING_TO_COPY'
  | 'LAYER_THREAD_DIED'
  | 'LAYER_THREAD_MEMORY'
  /** One of the RequestBounds was passed. */
  | 'LIMIT_EXCEEDED'

/** A conversion that cannot be done. The message says what to do about it. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError'
  readonly code: ConversionErrorCode
  /** A thread that died may have been out of memory, and others may stop moving a tag: another try may do. */
  readonly retryable: boolean

  constructor(code: ConversionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.retryable = code === 'LAYER_THREAD_DIED' || code === 'TAG_CHANGED'
  }
}

/** Which of the images of a request an error is about. */
export type Side = 'source' | 'target' | 'record'

/** An error with the side it happened at; code and retry advice are those of its cause. */
export class SideError extends Error {
  override readonly name = 'SideError'
  readonly side: Side
  readonly code: string
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined

  constructor(side: Side, cause: Error & { code: string }) {
    super(`${side}: ${cause.message}`, { cause })
    this.side = side
    this.code = cause.code
    const { retryable, retryAfterMs } = cause as { retryable?: unknown; retryAfterMs?: unknown }
    this.retryable = retryable === true
    this.retryAfterMs = typeof retryAfterMs === 'number' ? retryAfterMs : undefined
  }
}

/** Runs a step at one side of a conversion; errors that have a code come out as {@link SideError}. */
export async function withSide<T>(side: Side, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    throw asSideError(side, error)
  }
}

/** The error as one of a side, unless it has one already or is a defect. */
export function asSideError(side: Side, error: unknown): unknown {
  const known = error instanceof Error && !(error instanceof SideError)
  if (!known || !('code' in error) || typeof error.code !== 'string') return error
  return new SideError(side, error as Error & { code: string })
}
