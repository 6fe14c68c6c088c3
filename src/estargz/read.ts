import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { type Digest, digestOf } from '../oci/digest.ts'
import type { BlobFormat } from './blob-format.ts'
import { LayerError } from './errors.ts'
import { type Footer, LARGEST_FOOTER, parseFooter } from './footer.ts'
import type { LayerLimits } from './limits.ts'
import {
  baseOf,
  cleanName,
  NO_PREFETCH_LANDMARK,
  PREFETCH_LANDMARK,
  parentOf,
  TOC_NAME,
  WHITEOUT_PREFIX,
} from './names.ts'
import { parseToc, tocTooLarge } from './parse-toc.ts'
import { TarScanner } from './tar-scan.ts'
import type { Toc } from './toc.ts'

export type LandmarkView = {
  /** Undefined when the blob has none, as plain stargz has not. */
  landmark: 'prefetch' | 'no-prefetch' | undefined
  /** Where the member with the landmark's content begins: readers fetch the blob up to here. */
  landmarkOffset: number | undefined
  /** Names of the prioritized files in their order, clean; see {@link readLandmark}. */
  prioritized: string[]
}

export type OpenedEStargz = LandmarkView & {
  toc: Toc
  tocDigest: Digest
  /** Where the members end: at the table of contents, or at the footer where that is elsewhere. */
  membersEnd: number
  packing: BlobFormat['packing']
  externalToc: boolean
}

/** What is needed to read a blob by ranges. */
export type RangedBlob = {
  readonly size: number
  /** Gives the bytes from `start` up to `end`. */
  readRange(start: number, end: number): Promise<Buffer>
}

/**
 * Reads a blob's footer and table of contents, by two ranged reads, and nothing else of it: eStargz, stargz, eStargz
 * with an external table of contents, zstd:chunked.
 * @param o.externalToc gives the blob with the table of contents when the footer says that it is elsewhere
 * @param o.tocDigest what the manifest promises of the table of contents
 * @throws LayerError NOT_ESTARGZ, INVALID_TOC, LIMIT_EXCEEDED, VERIFICATION_FAILED; errors of `readRange` pass unchanged
 */
export async function openEStargz(
  o: RangedBlob & {
    limits: LayerLimits
    externalToc?: (() => Promise<Buffer | undefined>) | undefined
    tocDigest?: string | undefined
  },
): Promise<OpenedEStargz> {
  const footer = parseFooter(await o.readRange(Math.max(0, o.size - LARGEST_FOOTER), o.size))
  if (!footer) throw new LayerError('NOT_ESTARGZ', 'the blob does not end with an eStargz footer')
  const end = o.size - footer.footerSize
  const json = await readToc(footer, end, o)
  const tocDigest = digestOf(json)
  if (o.tocDigest !== undefined && o.tocDigest !== tocDigest) {
    throw new LayerError(
      'VERIFICATION_FAILED',
      `the table of contents has the digest ${tocDigest} where ${o.tocDigest} was promised`,
    )
  }
  const toc = parseToc(json, o.limits)
  return {
    toc,
    tocDigest,
    membersEnd: footer.kind === 'external' ? end : footer.tocOffset,
    packing: footer.kind === 'zstd' ? 'zstd' : 'gzip',
    externalToc: footer.kind === 'external',
    ...readLandmark(toc),
  }
}

async function readToc(footer: Footer, end: number, o: Parameters<typeof openEStargz>[0]): Promise<Buffer> {
  if (footer.kind === 'external') {
    const packed = await o.externalToc?.()
    if (packed) return tocOfMember(packed, o.limits)
    throw new LayerError(
      'NOT_ESTARGZ',
      'the table of contents lies outside of the blob, and was not found there',
    )
  }
  const { tocOffset } = footer
  const tocEnd = footer.kind === 'zstd' ? tocOffset + footer.tocSize : end
  if (tocOffset >= end || tocEnd > end) {
    throw new LayerError('NOT_ESTARGZ', `the footer points at byte ${tocOffset} of a blob of ${o.size} bytes`)
  }
  // Compressed bytes are hardly more than plain ones, so that this bounds what is downloaded.
  if (tocEnd - tocOffset > o.limits.maxTocBytes + 64 * 1024) throw tocTooLarge(o.limits.maxTocBytes)
  const packed = await o.readRange(tocOffset, tocEnd)
  return footer.kind === 'zstd' ? tocOfFrame(packed, o.limits) : tocOfMember(packed, o.limits)
}

/**
 * What the order of a table of contents says. The directories that a converter puts before a prioritized file
 * are not listed, a directory with no prioritized file in it is; whiteouts never are.
 */
export function readLandmark(toc: Toc): LandmarkView {
  const names: { name: string; dir: boolean }[] = []
  const parents = new Set<string>()
  for (const entry of toc.entries) {
    if (entry.type === 'chunk') continue
    const name = cleanName(entry.name)
    if (name === NO_PREFETCH_LANDMARK) {
      return { landmark: 'no-prefetch', landmarkOffset: entry.offset, prioritized: [] }
    }
    if (name === PREFETCH_LANDMARK) {
      const wanted = names.filter((one) => !one.dir || !parents.has(one.name))
      return {
        landmark: 'prefetch',
        landmarkOffset: entry.offset,
        prioritized: wanted.map((one) => one.name),
      }
    }
    if (baseOf(name).startsWith(WHITEOUT_PREFIX)) continue
    names.push({ name, dir: entry.type === 'dir' })
    for (let above = name; above !== '' && !parents.has(parentOf(above)); ) {
      above = parentOf(above)
      parents.add(above)
    }
  }
  return { landmark: undefined, landmarkOffset: undefined, prioritized: [] }
}

/** The JSON file out of its zstd frame. @throws LayerError NOT_ESTARGZ, LIMIT_EXCEEDED */
export function tocOfFrame(packed: Buffer, { maxTocBytes }: LayerLimits): Buffer {
  return bounded(maxTocBytes, () => zstdDecompressSync(packed, { maxOutputLength: maxTocBytes }))
}

/** The JSON file out of its gzip member. @throws LayerError NOT_ESTARGZ, LIMIT_EXCEEDED */
export function tocOfMember(member: Buffer, limits: LayerLimits): Buffer {
  // Header, padding and end of the archive come on top of the file.
  const maxOutputLength = limits.maxTocBytes + limits.maxHeaderBytes + 4096
  const plain = bounded(limits.maxTocBytes, () => gunzipSync(member, { maxOutputLength }))
  const content: Buffer[] = []
  for (const event of new TarScanner(limits).push(plain)) {
    if (event.kind === 'end') return Buffer.concat(content)
    if (event.kind === 'content') content.push(event.bytes)
    else if (event.kind === 'entry' && event.entry.name !== TOC_NAME) break
  }
  throw new LayerError('NOT_ESTARGZ', `the footer points at something other than ${TOC_NAME}`)
}

function bounded(maxTocBytes: number, unpack: () => Buffer): Buffer {
  try {
    return unpack()
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') {
      throw tocTooLarge(maxTocBytes)
    }
    throw new LayerError('NOT_ESTARGZ', 'the table of contents is not where the footer says', { cause })
  }
}
