/**
 * Packings that Docker's old clients took for layers although no media type names them, and others that tar is packed
 * with. The magic numbers are in hex, from the first byte.
 */
const PACKINGS: Readonly<Record<string, RegExp>> = {
  xz: /^fd377a585a00/,
  // The magic number of a block, or of the end, follows the level: the name of a file may begin with BZh, too.
  bzip2: /^425a683[1-9](314159265359|177245385090)/,
  lz4: /^04224d18/,
  lzip: /^4c5a495001/,
  compress: /^1f9d/,
}

/** How many bytes of a blob tell what it is packed with. */
export const COMPRESSION_MAGIC_BYTES = 10

/** What bytes are packed with that is not read here; undefined for what is, and for plain bytes. */
export function unsupportedCompression(head: Buffer): string | undefined {
  const hex = head.subarray(0, COMPRESSION_MAGIC_BYTES).toString('hex')
  return Object.entries(PACKINGS).find(([, magic]) => magic.test(hex))?.[0]
}

/** The same by the suffix of a media type, such as `application/vnd.oci.image.layer.v1.tar+xz`. */
export function unsupportedCompressionOf(mediaType: string): string | undefined {
  const suffix = /\btar[.+]([a-z0-9]+)$/.exec(mediaType)?.[1]
  const name = suffix === 'bz2' ? 'bzip2' : suffix
  return name !== undefined && Object.hasOwn(PACKINGS, name) ? name : undefined
}

/** What to do about such a layer. */
export function recompressAdvice(packing: string): string {
  return `packed with ${packing}, which is not read here, nor by container runtimes: pack it with gzip or zstd and push it again`
}
