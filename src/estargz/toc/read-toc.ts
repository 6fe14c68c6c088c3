import { ByteSource } from '../../compression/byte-source.ts'
import { gzipMembers } from '../../compression/gzip-members.ts'
import { zstdFrames } from '../../compression/zstd-frames.ts'
import type { Digest } from '../../oci/digest.ts'
import { NO_PREFETCH_LANDMARK, PREFETCH_LANDMARK, TOC_NAME } from '../../rootfs/reserved-names.ts'
import { isWhiteout } from '../../rootfs/whiteouts.ts'
import { LayerError } from '../../tar/errors.ts'
import { type LayerLimits, maxCompressedTocBytes, tocTooLarge } from '../../tar/limits.ts'
import { cleanName, parentOf } from '../../tar/names.ts'
import { TarScanner } from '../../tar/scanner.ts'
import type { BlobFormat } from '../blob-format.ts'
import { Column } from '../index/columns.ts'
import { type Footer, LARGEST_FOOTER, parseFooter } from './footer.ts'
import { readTocEntries } from './parse-toc.ts'
import { TocBuffer, type TocEntry, type TocFile } from './write-toc.ts'

export type LandmarkView = {
  /** Undefined when the blob has none, as plain stargz has not. */
  landmark: 'prefetch' | 'no-prefetch' | undefined
  /** Where the member with the landmark's content begins: readers fetch the blob up to here. */
  landmarkOffset: number | undefined
  /** Names of the prioritized files in their order, clean; see {@link LandmarkReader}. */
  prioritized: string[]
}

/** A table of contents as it lies in a registry, compressed. */
export type CompressedToc = {
  readonly footer: Footer['kind']
  readonly bytes: Buffer
  /** Where the members end: at the table of contents, or at the footer where that is elsewhere. */
  readonly membersEnd: number
}

/** What a table of contents says of its layer, its entries left out. */
export type TocView = LandmarkView & {
  readonly tocDigest: Digest
  /** Entries of the archive; chunks of files are not counted. */
  readonly entryCount: number
  readonly membersEnd: number
  readonly compression: BlobFormat['compression']
  readonly externalToc: boolean
}

/** What is needed to read a blob by ranges. */
export type RangedBlob = {
  readonly size: number
  /** Gives the bytes from `start` up to `end`. */
  readRange(start: number, end: number): Promise<Buffer>
}

export type TocRequest = RangedBlob & {
  readonly limits: LayerLimits
  /** Gives the blob with the table of contents when the footer says that it is elsewhere. */
  readonly externalToc?: (() => Promise<Buffer | undefined>) | undefined
}

/**
 * Reads the footer and the compressed table of contents of a blob, by two ranged reads, and nothing else of it: eStargz,
 * stargz, eStargz with an external table of contents, zstd:chunked.
 * @throws LayerError NOT_ESTARGZ, LIMIT_EXCEEDED; errors of `readRange` and `externalToc` pass unchanged
 */
export async function fetchToc(o: TocRequest): Promise<CompressedToc> {
  const footer = parseFooter(await o.readRange(Math.max(0, o.size - LARGEST_FOOTER), o.size))
  if (!footer) throw new LayerError('NOT_ESTARGZ', 'the blob does not end with an eStargz footer')
  const end = o.size - footer.footerSize
  if (footer.kind === 'external') {
    const bytes = await o.externalToc?.()
    if (bytes) return { footer: footer.kind, bytes, membersEnd: end }
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
  if (tocEnd - tocOffset > maxCompressedTocBytes(o.limits)) throw tocTooLarge(o.limits)
  return { footer: footer.kind, bytes: await o.readRange(tocOffset, tocEnd), membersEnd: tocOffset }
}

/**
 * Decompresses and parses a table of contents in memory that does not grow with it.
 * @param o.tocDigest what the manifest promises of it; it is checked before anything is parsed
 * @param o.visit gets every entry in order, chunks too
 * @throws LayerError NOT_ESTARGZ, INVALID_TOC, LIMIT_EXCEEDED, VERIFICATION_FAILED
 */
export async function parseCompressedToc(
  { footer, bytes, membersEnd }: CompressedToc,
  o: {
    readonly limits: LayerLimits
    readonly tocDigest?: string | undefined
    readonly visit?: ((entry: TocEntry) => void) | undefined
  },
): Promise<TocView> {
  const toc = footer === 'zstd' ? await tocOfFrame(bytes, o.limits) : await tocOfMember(bytes, o.limits)
  if (o.tocDigest !== undefined && o.tocDigest !== toc.digest) {
    throw new LayerError(
      'VERIFICATION_FAILED',
      `the table of contents has the digest ${toc.digest} where ${o.tocDigest} was promised`,
    )
  }
  const landmarks = new LandmarkReader()
  let entryCount = 0
  for (const entry of readTocEntries(toc, o.limits)) {
    if (entry.type !== 'chunk') entryCount += 1
    landmarks.take(entry)
    o.visit?.(entry)
  }
  return {
    tocDigest: toc.digest,
    entryCount,
    membersEnd,
    compression: footer === 'zstd' ? 'zstd' : 'gzip',
    externalToc: footer === 'external',
    ...landmarks.view(),
  }
}

/** An eStargz blob with all entries of its table of contents. */
export type OpenedEStargz = TocView & { readonly entries: readonly TocEntry[] }

/** {@link fetchToc} and {@link parseCompressedToc} at once, with all entries in memory. */
export async function openEStargz(
  o: TocRequest & { readonly tocDigest?: string | undefined },
): Promise<OpenedEStargz> {
  const entries: TocEntry[] = []
  const visit = (entry: TocEntry) => void entries.push(entry)
  const view = await parseCompressedToc(await fetchToc(o), { ...o, visit })
  return { ...view, entries }
}

/**
 * Reads what the order of a table of contents says, from entries that go by. The directories that a converter puts before
 * a prioritized file are not listed, a directory with no prioritized file in it is; whiteouts never are.
 */
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
export function tocOfFrame(frame: Buffer, limits: LayerLimits): Promise<TocFile> {
  return decoded(async () => {
    const toc = new TocBuffer()
    for await (const event of zstdFrames(sourceOf(frame), limits)) {
      if (event.kind === 'bytes') keep(toc, event.bytes, limits)
    }
    return toc.finish()
  })
}

/** The JSON file out of its gzip member. @throws LayerError NOT_ESTARGZ, LIMIT_EXCEEDED */
export function tocOfMember(member: Buffer, limits: LayerLimits): Promise<TocFile> {
  return decoded(async () => {
    const toc = new TocBuffer()
    const scanner = new TarScanner(limits)
    for await (const event of gzipMembers(sourceOf(member))) {
      if (event.kind !== 'bytes') continue
      for (const found of scanner.push(event.bytes)) {
        if (found.kind === 'end') return toc.finish()
        if (found.kind === 'content') keep(toc, found.bytes, limits)
        else if (found.kind === 'entry' && found.entry.name !== TOC_NAME) throw notToc()
      }
    }
    throw notToc()
  })
}

function keep(toc: TocBuffer, bytes: Buffer, limits: LayerLimits): void {
  if (toc.size + bytes.length > limits.maxTocBytes) throw tocTooLarge(limits)
  toc.add(bytes)
}

function sourceOf(bytes: Buffer): ByteSource {
  return new ByteSource(
    (async function* () {
      yield bytes
    })(),
  )
}

function notToc(): LayerError {
  return new LayerError('NOT_ESTARGZ', `the footer points at something other than ${TOC_NAME}`)
}

/** What cannot be decoded is not where the footer says; limits stay what they are. */
async function decoded(decode: () => Promise<TocFile>): Promise<TocFile> {
  try {
    return await decode()
  } catch (cause) {
    if (!(cause instanceof LayerError) || ['LIMIT_EXCEEDED', 'NOT_ESTARGZ'].includes(cause.code)) throw cause
    throw new LayerError('NOT_ESTARGZ', 'the table of contents is not where the footer says', { cause })
  }
}
