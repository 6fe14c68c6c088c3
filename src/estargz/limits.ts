/** Bounds on one layer. Sizes are bytes. Passing one raises a LayerError with the code LIMIT_EXCEEDED. */
export type LayerLimits = {
  /** Entries of the archive. An entry costs about 1 KiB of memory while a layer is converted. */
  maxEntries: number
  /** Headers of one entry, its PAX and GNU extensions included. */
  maxHeaderBytes: number
  /** A name or a link target. */
  maxNameBytes: number
  /** The decompressed layer. */
  maxPlainBytes: number
  /** The table of contents, decompressed. */
  maxTocBytes: number
}

/** Go's archive/tar stops at 1 MiB of extended header too; 4 KiB is PATH_MAX of Linux. */
export const DEFAULT_LIMITS: LayerLimits = {
  maxEntries: 1_000_000,
  maxHeaderBytes: 1 << 20,
  maxNameBytes: 4096,
  maxPlainBytes: 64 * 2 ** 30,
  maxTocBytes: 512 << 20,
}
