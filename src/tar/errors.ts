/** What can be wrong with a layer. Callers branch on it; the message is for people. */
export type LayerErrorCode =
  /** The tar archive breaks its own format, or ends early. */
  | 'CORRUPT_TAR'
  /** The gzip members break their format, fail their checksum, or end early. */
  | 'CORRUPT_GZIP'
  /** The zstd frames break their format, fail their checksum, or end early. */
  | 'CORRUPT_ZSTD'
  /** The layer is packed with something that is not read: xz, bzip2 and the like. */
  | 'UNSUPPORTED_LAYER'
  /** An entry that no eStargz can hold: sparse files, contiguous files, vendor types. */
  | 'UNSUPPORTED_ENTRY'
  /** Hard links that lead back to themselves. */
  | 'HARD_LINK_CYCLE'
  /** A hard link whose target is not in the layer, or is a directory. */
  | 'HARD_LINK_TARGET'
  /** One of the {@link LayerLimits} was passed. */
  | 'LIMIT_EXCEEDED'
  /** No eStargz footer, or none that leads to a table of contents. */
  | 'NOT_ESTARGZ'
  /** The table of contents is not what eStargz version 1 allows. */
  | 'INVALID_TOC'
  /** A name that the layer does not have. */
  | 'NOT_FOUND'
  /** Bytes or metadata differ from the digest or the entry that promises them. */
  | 'VERIFICATION_FAILED'

/** A layer that cannot be read, converted or believed. */
export class LayerError extends Error {
  override readonly name = 'LayerError'
  readonly code: LayerErrorCode
  /** The entry it is about, as the archive names it. */
  readonly entry: string | undefined
  /** Where: a byte offset in the stream that the message names. */
  readonly offset: number | undefined

  constructor(
    code: LayerErrorCode,
    message: string,
    at: { entry?: string; offset?: number; cause?: unknown } = {},
  ) {
    super(message, at.cause === undefined ? undefined : { cause: at.cause })
    this.code = code
    this.entry = at.entry
    this.offset = at.offset
  }
}
