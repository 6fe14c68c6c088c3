/** The kinds of layer errors. Callers branch on the code; the message is for people. */
export type LayerErrorCode =
  /** The tar archive violates its format or is truncated. */
  | 'CORRUPT_TAR'
  /** A gzip member violates its format, fails its checksum, or is truncated. */
  | 'CORRUPT_GZIP'
  /** A zstd frame violates its format, fails its checksum, or is truncated. */
  | 'CORRUPT_ZSTD'
  /** The layer has an unsupported compression, such as xz or bzip2. */
  | 'UNSUPPORTED_LAYER'
  /** An entry cannot be represented in eStargz: a sparse file, a contiguous file, or a vendor's type. */
  | 'UNSUPPORTED_ENTRY'
  /** A hard link leads back to itself. */
  | 'HARD_LINK_CYCLE'
  /** The target of a hard link is not in the layer, or is a directory. */
  | 'HARD_LINK_TARGET'
  /** The layer exceeds one of the `LayerLimits`. */
  | 'LIMIT_EXCEEDED'
  /** The blob has no eStargz footer, or one that does not lead to a table of contents. */
  | 'NOT_ESTARGZ'
  /** The table of contents violates eStargz version 1. */
  | 'INVALID_TOC'
  /** The layer has no entry with the name. */
  | 'NOT_FOUND'
  /** Bytes or metadata do not match their digest or their entry. */
  | 'VERIFICATION_FAILED'

/** A layer cannot be read, converted or trusted. */
export class LayerError extends Error {
  override readonly name = 'LayerError'
  readonly code: LayerErrorCode
  /** The name of the entry concerned, as the archive spells it. */
  readonly entry: string | undefined
  /** The byte offset concerned, in the stream that the message names. */
  readonly offset: number | undefined

  constructor(
    code: LayerErrorCode,
    message: string,
    details: { entry?: string; offset?: number; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.entry = details.entry
    this.offset = details.offset
  }
}
