import { LayerError } from './layer-error.ts'

/** Bounds on one layer, sizes in bytes. Exceeding one throws a LayerError with the code LIMIT_EXCEEDED. */
export type LayerLimits = {
  /**
   * The number of entries of an archive or a table of contents. Every further chunk of a file counts as an
   * entry.
   */
  maxEntries: number
  /** The memory for the index of all entries: their names, attributes, offsets and digests. */
  maxIndexBytes: number
  /** The headers of one entry, including its PAX and GNU extensions. */
  maxHeaderBytes: number
  /** The length of a name or a link target. */
  maxNameBytes: number
  /** The size of the decompressed layer. */
  maxUncompressedBytes: number
  /** The decompressed table of contents. The compressed one may have a quarter of that. */
  maxTocBytes: number
  /** The window that a zstd frame makes its decoder allocate. */
  maxWindowBytes: number
}

/**
 * Go's archive/tar also stops at 1 MiB of extended header; 4 KiB is PATH_MAX of Linux. The window is the
 * largest that the library of stargz-snapshotter (klauspost/compress 1.18) reads.
 */
export const DEFAULT_LAYER_LIMITS: LayerLimits = {
  maxEntries: 1_000_000,
  maxIndexBytes: 512 * 2 ** 20,
  maxHeaderBytes: 2 ** 20,
  maxNameBytes: 4096,
  maxUncompressedBytes: 64 * 2 ** 30,
  maxTocBytes: 512 * 2 ** 20,
  maxWindowBytes: 2 ** 29,
}

/** The settings that change a limit. The other limits are those of Linux and Go. */
export const LIMIT_SETTINGS = {
  maxEntries: 'RECORD_BROKER_MAX_ENTRIES',
  maxIndexBytes: 'RECORD_BROKER_MAX_INDEX_BYTES',
  maxUncompressedBytes: 'RECORD_BROKER_MAX_LAYER_BYTES',
  maxTocBytes: 'RECORD_BROKER_MAX_TOC_BYTES',
  maxWindowBytes: 'RECORD_BROKER_MAX_ZSTD_WINDOW',
} as const satisfies Partial<Record<keyof LayerLimits, string>>

/**
 * Returns the bound on the compressed table of contents, in bytes: a larger one is rejected before it is
 * downloaded.
 */
export function maxCompressedTocBytes({ maxTocBytes }: Pick<LayerLimits, 'maxTocBytes'>): number {
  return Math.floor(maxTocBytes / 4)
}

/**
 * Creates the error for a limit that is exceeded. It names the limit and the setting.
 * @param problem such as "the layer has too many entries"
 */
export function limitExceededError<Name extends keyof typeof LIMIT_SETTINGS>(
  limits: Pick<LayerLimits, Name>,
  name: Name,
  problem: string,
  details: { entry?: string; offset?: number } = {},
): LayerError {
  const message = `${problem}; raise ${LIMIT_SETTINGS[name]}, which allows ${limits[name]}`
  return new LayerError('LIMIT_EXCEEDED', message, details)
}

export function tocTooLargeError(limits: Pick<LayerLimits, 'maxTocBytes'>): LayerError {
  return limitExceededError(limits, 'maxTocBytes', 'the table of contents is too large')
}
