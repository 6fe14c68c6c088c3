import { LayerError } from './errors.ts'

/** Bounds on one layer. Sizes are bytes. Passing one raises a LayerError with the code LIMIT_EXCEEDED. */
export type LayerLimits = {
  /** Entries of an archive or a table of contents; the further chunks of a file count as entries. */
  maxEntries: number
  /** Memory for what is kept of all entries: their names, attributes, places and digests. */
  maxIndexBytes: number
  /** Headers of one entry, its PAX and GNU extensions included. */
  maxHeaderBytes: number
  /** A name or a link target. */
  maxNameBytes: number
  /** The decompressed layer. */
  maxPlainBytes: number
  /** The table of contents, decompressed. Compressed, it may have a quarter of that. */
  maxTocBytes: number
  /** What a zstd frame makes its decoder keep. */
  maxWindowBytes: number
}

/**
 * Go's archive/tar stops at 1 MiB of extended header too; 4 KiB is PATH_MAX of Linux. The window is the largest that
 * stargz-snapshotter's library (klauspost/compress 1.18) reads.
 */
export const DEFAULT_LIMITS: LayerLimits = {
  maxEntries: 1_000_000,
  maxIndexBytes: 512 * 2 ** 20,
  maxHeaderBytes: 2 ** 20,
  maxNameBytes: 4096,
  maxPlainBytes: 64 * 2 ** 30,
  maxTocBytes: 512 * 2 ** 20,
  maxWindowBytes: 2 ** 29,
}

/** The settings that raise a limit; the others are those of Linux and of Go. */
export const LIMIT_SETTINGS = {
  maxEntries: 'RECORD_BROKER_MAX_ENTRIES',
  maxIndexBytes: 'RECORD_BROKER_MAX_INDEX_BYTES',
  maxPlainBytes: 'RECORD_BROKER_MAX_LAYER_BYTES',
  maxTocBytes: 'RECORD_BROKER_MAX_TOC_BYTES',
  maxWindowBytes: 'RECORD_BROKER_MAX_ZSTD_WINDOW',
} as const satisfies Partial<Record<keyof LayerLimits, string>>

/** The compressed table of contents may have so many bytes: what is larger cannot be downloaded for nothing. */
export function maxCompressedTocBytes({ maxTocBytes }: Pick<LayerLimits, 'maxTocBytes'>): number {
  return Math.floor(maxTocBytes / 4)
}

/**
 * The error for something that is larger than a limit, naming both and the setting.
 * @param what such as "the layer has too many entries"
 */
export function limitExceeded<Name extends keyof typeof LIMIT_SETTINGS>(
  limits: Pick<LayerLimits, Name>,
  name: Name,
  what: string,
  at: { entry?: string; offset?: number } = {},
): LayerError {
  const message = `${what}: ${LIMIT_SETTINGS[name]} allows ${limits[name]}`
  return new LayerError('LIMIT_EXCEEDED', message, at)
}

export function tocTooLarge(limits: Pick<LayerLimits, 'maxTocBytes'>): LayerError {
  return limitExceeded(limits, 'maxTocBytes', 'the table of contents is too large')
}
