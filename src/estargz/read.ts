import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { type Digest, digestOf } from '../oci/digest.ts'
import type { BlobFormat } from './blob-format.ts'
import { Column } from './columns.ts'
import { LayerError } from './errors.ts'
import { type Footer, LARGEST_FOOTER, parseFooter } from './footer.ts'
import type { LayerLimits } from './limits.ts'
import {
  cleanName,
  isWhiteout,
  NO_PREFETCH_LANDMARK,
  PREFETCH_LANDMARK,
  parentOf,
  TOC_NAME,
} from './names.ts'
import { parseToc, tocTooLarge } from './parse-toc.ts'
import { TarScanner } from './tar-scan.ts'
import type { Toc, TocEntry } from './toc.ts'

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
    ...readLandmark(toc.entries),
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
function readLandmark(toc: Iterable<TocEntry>): LandmarkView {
  const reader = new LandmarkReader()
  for (const entry of toc) reader.take(entry)
  return reader.view()
}

/** {@link readLandmark} of entries that go by. */
export class LandmarkReader {
  #found: LandmarkView | undefined
  /** What came before the landmark: where each name ends in the text, and whether it is a directory's. */
  readonly #text = new Column(Uint8Array)
  readonly #ends = new Column(Uint32Array)
  readonly #directories = new Column(Uint8Array)
  readonly #parents = new Set<string>()

  take(entry: TocEntry): void {
    if (this.#found || entry.type === 'chunk') return
    const name = cleanName(entry.name)
    if (name === PREFETCH_LANDMARK || name === NO_PREFETCH_LANDMARK) {
      const landmark = name === PREFETCH_LANDMARK ? 'prefetch' : 'no-prefetch'
      const prioritized = landmark === 'prefetch' ? this.#prioritized() : []
      this.#found = { landmark, landmarkOffset: entry.offset, prioritized }
      return
    }
    if (isWhiteout(name)) return
    this.#text.append(Buffer.from(name))
    this.#ends.push(this.#text.length)
    this.#directories.push(entry.type === 'dir' ? 1 : 0)
    for (let above = name; above !== '' && !this.#parents.has(parentOf(above)); ) {
      above = parentOf(above)
      this.#parents.add(above)
    }
  }

  view(): LandmarkView {
    return this.#found ?? { landmark: undefined, landmarkOffset: undefined, prioritized: [] }
  }

  #prioritized(): string[] {
    const wanted: string[] = []
    for (let i = 0, start = 0; i < this.#ends.length; i++) {
      const end = this.#ends.at(i)
      const name = Buffer.from(this.#text.rows(start, end)).toString()
      start = end
      if (this.#directories.at(i) === 0 || !this.#parents.has(name)) wanted.push(name)
    }
    return wanted
  }
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
