/**
 * Compressions that Docker's old clients accepted for layers although no media type names them, and others
 * that are used for tar archives, with their magic numbers in hex.
 */
const MAGIC_NUMBERS: Readonly<Record<string, RegExp>> = {
  xz: /^fd377a585a00/,
  // After the level follows the magic number of a block or of the end. BZh alone may also be the start of a
  // file name.
  bzip2: /^425a683[1-9](314159265359|177245385090)/,
  lz4: /^04224d18/,
  lzip: /^4c5a495001/,
  compress: /^1f9d/,
}

/** The number of bytes that {@link detectUnsupportedCompression} needs. */
export const COMPRESSION_MAGIC_BYTES = 10

/**
 * Returns the name of an unsupported compression by the first bytes of a blob; undefined for any other bytes.
 */
export function detectUnsupportedCompression(head: Buffer): string | undefined {
  const hex = head.subarray(0, COMPRESSION_MAGIC_BYTES).toString('hex')
  return Object.entries(MAGIC_NUMBERS).find(([, magic]) => magic.test(hex))?.[0]
}

/**
 * Returns the name of an unsupported compression by the suffix of a media type, such as
 * `application/vnd.oci.image.layer.v1.tar+xz`.
 */
export function unsupportedCompressionInMediaType(mediaType: string): string | undefined {
  const suffix = /\btar[.+]([a-z0-9]+)$/.exec(mediaType)?.[1]
  const name = suffix === 'bz2' ? 'bzip2' : suffix
  return name !== undefined && Object.hasOwn(MAGIC_NUMBERS, name) ? name : undefined
}

/** Describes a layer with an unsupported compression, and what to do about it. */
export function recompressAdvice(compression: string): string {
  return `compressed with ${compression}, which neither the broker nor container runtimes support; recompress it with gzip or zstd and push it again`
}
