import type { Digest } from '../../oci/digest.ts'
import { LayerError } from '../../tar/layer-error.ts'
import { type LayerLimits, maxCompressedTocBytes, tocTooLargeError } from '../../tar/layer-limits.ts'
import type { BlobFormat } from '../blob-format.ts'
import { type Footer, MAX_FOOTER_SIZE, parseFooter } from '../toc/footer.ts'
import type { TocEntry } from '../toc/toc-entry.ts'
import { decodeTocFrame, decodeTocMember } from './decode-toc.ts'
import { LandmarkReader, type LandmarkSummary } from './landmark-reader.ts'
import { parseTocEntries } from './parse-toc-entries.ts'

/** A table of contents as stored in a registry, compressed. */
export type CompressedToc = {
  readonly footerKind: Footer['kind']
  readonly bytes: Buffer
  /** The end of the members: the table of contents, or the footer if that is external. */
  readonly membersEnd: number
}

/** The properties of a blob that its table of contents shows, without the entries. */
export type TocSummary = LandmarkSummary & {
  readonly tocDigest: Digest
  /** The number of entries, without chunks of files. */
  readonly entryCount: number
  readonly membersEnd: number
  readonly compression: BlobFormat['compression']
  readonly externalToc: boolean
}

/** A blob that is read by ranges. */
export type RangedBlob = {
  readonly size: number
  /** Resolves to the bytes from `start` up to, but not including, `end`. */
  readRange(start: number, end: number): Promise<Buffer>
}

export type TocRequest = RangedBlob & {
  readonly limits: LayerLimits
  /** Fetches the blob with the external table of contents. Called only if the footer refers to one. */
  readonly externalToc?: (() => Promise<Buffer | undefined>) | undefined
}

/** Creates the error for a blob whose external table of contents is missing. */
export function externalTocNotFound(): LayerError {
  return new LayerError('NOT_ESTARGZ', 'the table of contents is external to the blob and was not found')
}

/**
 * Fetches the footer and the compressed table of contents of a blob, and nothing else, by at most two ranged
 * reads. Supports eStargz, also with an external table of contents, stargz and zstd:chunked.
 * @throws LayerError NOT_ESTARGZ, LIMIT_EXCEEDED; errors of `readRange` and `externalToc` pass unchanged
 */
export async function fetchToc(o: TocRequest): Promise<CompressedToc> {
  const footer = parseFooter(await o.readRange(Math.max(0, o.size - MAX_FOOTER_SIZE), o.size))
  if (!footer) throw new LayerError('NOT_ESTARGZ', 'the blob does not end with an eStargz footer')
  const footerStart = o.size - footer.footerSize
  if (footer.kind === 'external') {
    const bytes = await o.externalToc?.()
    if (bytes) return { footerKind: footer.kind, bytes, membersEnd: footerStart }
    throw externalTocNotFound()
  }
  const { tocOffset } = footer
  const tocEnd = footer.kind === 'zstd' ? tocOffset + footer.tocSize : footerStart
  if (tocOffset >= footerStart || tocEnd > footerStart) {
    throw new LayerError('NOT_ESTARGZ', `the footer points at byte ${tocOffset} of a blob of ${o.size} bytes`)
  }
  if (tocEnd - tocOffset > maxCompressedTocBytes(o.limits)) throw tocTooLargeError(o.limits)
  return { footerKind: footer.kind, bytes: await o.readRange(tocOffset, tocEnd), membersEnd: tocOffset }
}

/**
 * Decompresses and parses a table of contents without holding all its entries in memory.
 * @param o.tocDigest the digest that the manifest promises; checked before parsing
 * @param o.visit called for every entry in order, including chunks
 * @throws LayerError NOT_ESTARGZ, INVALID_TOC, LIMIT_EXCEEDED, VERIFICATION_FAILED
 */
export async function parseCompressedToc(
  { footerKind, bytes, membersEnd }: CompressedToc,
  o: {
    readonly limits: LayerLimits
    readonly tocDigest?: string | undefined
    readonly visit?: ((entry: TocEntry) => void) | undefined
  },
): Promise<TocSummary> {
  const isZstd = footerKind === 'zstd'
  const toc = isZstd ? await decodeTocFrame(bytes, o.limits) : await decodeTocMember(bytes, o.limits)
  if (o.tocDigest !== undefined && o.tocDigest !== toc.digest) {
    throw new LayerError(
      'VERIFICATION_FAILED',
      `the table of contents has the digest ${toc.digest}, but the manifest promises ${o.tocDigest}`,
    )
  }
  const landmarks = new LandmarkReader()
  let entryCount = 0
  for (const entry of parseTocEntries(toc, o.limits)) {
    if (entry.type !== 'chunk') entryCount += 1
    landmarks.add(entry)
    o.visit?.(entry)
  }
  return {
    tocDigest: toc.digest,
    entryCount,
    membersEnd,
    compression: isZstd ? 'zstd' : 'gzip',
    externalToc: footerKind === 'external',
    ...landmarks.summarize(),
  }
}

/** An eStargz blob with all entries of its table of contents. */
export type OpenedEStargz = TocSummary & { readonly entries: readonly TocEntry[] }

/** Fetches and parses the table of contents of a blob. Holds all its entries in memory. */
export async function openEStargz(
  o: TocRequest & { readonly tocDigest?: string | undefined },
): Promise<OpenedEStargz> {
  const entries: TocEntry[] = []
  const visit = (entry: TocEntry) => void entries.push(entry)
  const summary = await parseCompressedToc(await fetchToc(o), { ...o, visit })
  return { ...summary, entries }
}
