import { Digester } from '../../bytes/digester.ts'
import { ByteSource } from '../../compression/byte-source.ts'
import { compressionOfLayer } from '../../compression/decode.ts'
import { gzipMembers } from '../../compression/gzip-members.ts'
import { zstdFrames } from '../../compression/zstd-frames.ts'
import { type Digest, digestOf } from '../../oci/digest.ts'
import { LayerError } from '../../tar/errors.ts'
import { type LayerLimits, limitExceeded, maxCompressedTocBytes } from '../../tar/limits.ts'
import { TarScanner } from '../../tar/scanner.ts'
import type { LayerTree } from '../index/layer-tree.ts'
import {
  EXTERNAL_FOOTER_SIZE,
  FOOTER_SIZE,
  type Footer,
  isExternalFooter,
  parseFooter,
  tocOffsetOf,
} from '../toc/footer.ts'
import { readTocEntries } from '../toc/parse-toc.ts'
import { LandmarkReader, tocOfFrame, tocOfMember } from '../toc/read-toc.ts'
import type { TocEntry, TocFile } from '../toc/write-toc.ts'
import { contentOffset, skippableFrame } from '../toc/zstd-chunked.ts'
import { ContentRecorder, type FoundToc } from './verify-content.ts'
import { checkToc } from './verify-toc.ts'

/** What a manifest promises of a blob. */
export type ExpectedLayer = {
  tocDigest?: string | undefined
  /** Of the table of contents as it lies in zstd:chunked, compressed. */
  tocFrameDigest?: string | undefined
  diffId?: string | undefined
}

/** What a verified blob holds. Sizes are bytes. */
export type VerifiedBlob = {
  /** Of the blob as it was read. */
  digest: Digest
  size: number
  diffId: Digest
  uncompressedSize: number
  tocDigest: Digest
  /** Whether the table of contents lies outside of the blob. */
  externalToc: boolean
  /** Names listed in the table of contents, landmark included. */
  entries: number
  /** Chunks whose digests were checked. */
  chunks: number
  landmark: 'prefetch' | 'no-prefetch' | undefined
  prioritized: string[]
  /** What its archive holds, and its table of contents says. */
  tree: LayerTree
}

/**
 * Verifies a blob in one pass over it, eStargz (with its table of contents inside or elsewhere) or zstd:chunked:
 * checksums of members, the footer, the digest of the table of contents, that it lists the archive's entries with the
 * metadata they have, that each chunk begins where it says and matches its digest, each file's digest, and the diffID.
 * @param o.externalToc the blob with the table of contents that this one goes without
 * @throws LayerError VERIFICATION_FAILED and the codes of what it reads; errors of the source pass unchanged
 */
export async function verifyEStargzBlob(
  source: AsyncIterable<Uint8Array>,
  o: { limits: LayerLimits; externalToc?: Buffer } & ExpectedLayer,
): Promise<VerifiedBlob> {
  const blob = new Digester()
  const input = new ByteSource(tallied(source, blob))
  const plain = new Digester()
  const recorder = new ContentRecorder(o.limits)
  let end: BlobEnd
  try {
    const scan = new PlainScan(recorder, plain, o.limits)
    const packed = await compressionOfLayer(input)
    end = packed === 'zstd' ? await readFrames(input, scan, o.limits) : await readMembers(input, scan)
    scan.end()
  } finally {
    await input.close()
  }
  const total = plain.finish()
  const archive = recorder.finish()
  const { toc, externalToc, frameDigest } = await tableOf(end, archive.toc, o)
  expectDigest('the compressed table of contents', frameDigest, o.tocFrameDigest)
  expectDigest('the table of contents', toc.digest, o.tocDigest)
  expectDigest('the decompressed layer', total.digest, o.diffId)
  const landmarks = new LandmarkReader()
  const listed = seenBy(landmarks, readTocEntries(toc, o.limits))
  const checked = checkToc(listed, archive, { isExternal: externalToc })
  const { landmark, prioritized } = landmarks.view()
  return {
    ...blob.finish(),
    diffId: total.digest,
    uncompressedSize: total.size,
    tocDigest: toc.digest,
    externalToc,
    ...checked,
    landmark,
    prioritized,
  }
}

function* seenBy(landmarks: LandmarkReader, entries: Iterable<TocEntry>): Generator<TocEntry, void, void> {
  for (const entry of entries) {
    landmarks.take(entry)
    yield entry
  }
}

/** How a blob ended. `tocFrame`: of zstd:chunked, the skippable frame that the footer points at. */
type BlobEnd = { footer: Footer | undefined; tocFrame?: { offset: number; content: Buffer | undefined } }
/** The table of contents, data of tar-split, and the footer. */
const MAX_LAST_FRAMES = 3

async function readMembers(input: ByteSource, scan: PlainScan): Promise<BlobEnd> {
  let extra: Buffer | undefined
  for await (const event of gzipMembers(input)) {
    if (event.kind === 'member') {
      scan.member(event.offset)
      extra = event.header.extra
    } else if (event.kind === 'bytes') {
      scan.plain(event.bytes)
      // A footer is an empty member.
      if (event.bytes.length > 0) extra = undefined
    }
  }
  if (!extra) return { footer: undefined }
  if (isExternalFooter(extra)) return { footer: { kind: 'external', footerSize: EXTERNAL_FOOTER_SIZE } }
  const tocOffset = tocOffsetOf(extra)
  return {
    footer: tocOffset === undefined ? undefined : { kind: 'gzip', tocOffset, footerSize: FOOTER_SIZE },
  }
}

async function readFrames(input: ByteSource, scan: PlainScan, limits: LayerLimits): Promise<BlobEnd> {
  let frames: { offset: number; content: Buffer | undefined }[] = []
  for await (const event of zstdFrames(input, limits, maxCompressedTocBytes(limits))) {
    if (event.kind === 'skippable') {
      frames = [...frames, event].slice(-MAX_LAST_FRAMES)
      continue
    }
    frames = []
    if (event.kind === 'member') scan.member(event.offset)
    else scan.plain(event.bytes)
  }
  const last = frames.at(-1)
  const footer = last?.content && parseFooter(skippableFrame(last.content))
  if (footer?.kind !== 'zstd') return { footer: undefined }
  // Where the footer points at none of them, the last one is told.
  const tocFrame = frames.find(({ offset }) => contentOffset(offset) === footer.tocOffset) ?? frames.at(-2)
  return { footer, ...(tocFrame && { tocFrame }) }
}

/** The plain bytes of a blob on their way into its archive's scan. */
class PlainScan {
  readonly #recorder: ContentRecorder
  readonly #tally: Digester
  readonly #limits: LayerLimits
  readonly #scanner: TarScanner

  constructor(recorder: ContentRecorder, tally: Digester, limits: LayerLimits) {
    this.#recorder = recorder
    this.#tally = tally
    this.#limits = limits
    this.#scanner = new TarScanner(limits)
  }

  member(offset: number): void {
    this.#recorder.beginMember(offset)
  }

  plain(bytes: Buffer): void {
    this.#tally.add(bytes)
    if (this.#tally.size > this.#limits.maxPlainBytes) {
      throw limitExceeded(this.#limits, 'maxPlainBytes', 'the layer is too large when decompressed')
    }
    this.#recorder.beginPiece(bytes)
    for (const found of this.#scanner.push(bytes)) this.#recorder.take(found)
  }

  end(): void {
    for (const found of this.#scanner.end()) this.#recorder.take(found)
  }
}

/** The table of contents, from where the footer says that it is. */
async function tableOf(
  { footer, tocFrame }: BlobEnd,
  inside: FoundToc | undefined,
  o: { limits: LayerLimits; externalToc?: Buffer },
): Promise<{ toc: TocFile; externalToc: boolean; frameDigest?: Digest }> {
  if (footer?.kind === 'external') {
    if (o.externalToc) {
      return { toc: await tocOfMember(o.externalToc, o.limits), externalToc: true }
    }
    throw new LayerError(
      'NOT_ESTARGZ',
      'the table of contents lies outside of the blob, and was not found there',
    )
  }
  const found =
    footer?.kind === 'zstd'
      ? tocFrame?.content && {
          file: await tocOfFrame(tocFrame.content, o.limits),
          memberOffset: contentOffset(tocFrame.offset),
        }
      : inside
  if (!footer || !found) {
    throw new LayerError(
      'NOT_ESTARGZ',
      'the blob does not end with a table of contents and an eStargz footer',
    )
  }
  if (found.memberOffset !== footer.tocOffset) {
    throw new LayerError(
      'VERIFICATION_FAILED',
      `the footer points at byte ${footer.tocOffset}, the table of contents is at ${found.memberOffset}`,
    )
  }
  const frame = footer.kind === 'zstd' ? tocFrame?.content : undefined
  return { toc: found.file, externalToc: false, ...(frame && { frameDigest: digestOf(frame) }) }
}

function expectDigest(what: string, got: Digest | undefined, expected: string | undefined): void {
  if (expected === undefined || got === expected) return
  throw new LayerError(
    'VERIFICATION_FAILED',
    `${what} has the digest ${got ?? '(none)'} where ${expected} was promised`,
  )
}

async function* tallied(source: AsyncIterable<Uint8Array>, tally: Digester): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    tally.add(piece)
    yield piece
  }
}
