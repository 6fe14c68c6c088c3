import { Digester } from '../../bytes/digester.ts'
import { ByteSource } from '../../compression/byte-source.ts'
import { detectLayerCompression } from '../../compression/decode-layer.ts'
import { type Digest, digestOf } from '../../oci/digest.ts'
import { LayerError } from '../../tar/layer-error.ts'
import { type LayerLimits, tocTooLargeError } from '../../tar/layer-limits.ts'
import type { LandmarkKind } from '../blob-format.ts'
import type { ArchiveMetadata } from '../index/archive-metadata.ts'
import { decodeTocFrame, decodeTocMember } from '../read/decode-toc.ts'
import { LandmarkReader } from '../read/landmark-reader.ts'
import { parseTocEntries, type TocMembers } from '../read/parse-toc-entries.ts'
import { externalTocNotFound } from '../read/read-toc.ts'
import type { TocEntry } from '../toc/toc-entry.ts'
import type { TocFile } from '../toc/toc-file.ts'
import { frameContentOffset } from '../toc/zstd-chunked.ts'
import { ContentRecorder, type EmbeddedToc } from './content-recorder.ts'
import { ArchiveScan, type BlobTail, scanFrames, scanMembers } from './scan-blob.ts'
import { verifyToc } from './verify-toc.ts'

/** The digests that a manifest and a config promise for a layer. */
export type ExpectedLayer = {
  tocDigest?: string | undefined
  /** zstd:chunked only: the digest of the compressed table of contents. */
  tocFrameDigest?: string | undefined
  diffId?: string | undefined
}

/** A verified blob. Sizes are bytes. */
export type VerifiedBlob = {
  /** The digest of the blob as read. */
  digest: Digest
  size: number
  diffId: Digest
  uncompressedSize: number
  tocDigest: Digest
  /** Whether the table of contents is a separate blob. */
  externalToc: boolean
  /** The number of names in the table of contents, including the landmark. */
  entries: number
  /** The number of chunks whose digests were verified. */
  chunks: number
  landmark: LandmarkKind | undefined
  prioritized: string[]
  /** The metadata of the archive, completed with what the table of contents lists. */
  metadata: ArchiveMetadata
}

/**
 * Verifies an eStargz or zstd:chunked blob in one pass. Checks the checksums of members; the footer; the
 * digests of the table of contents, of tar-split data that it refers to, of each chunk and file, and of the
 * uncompressed layer; and that the table of contents lists exactly the archive's entries, with their metadata
 * and the locations of their chunks.
 * @param o.externalToc the blob with the external table of contents
 * @throws LayerError VERIFICATION_FAILED and the codes of decoding; errors of the source pass unchanged
 */
export async function verifyEStargzBlob(
  source: AsyncIterable<Uint8Array>,
  o: { limits: LayerLimits; externalToc?: Buffer } & ExpectedLayer,
): Promise<VerifiedBlob> {
  const blobDigester = new Digester()
  const input = new ByteSource(digested(source, blobDigester))
  const uncompressedDigester = new Digester()
  const recorder = new ContentRecorder(o.limits)
  let tail: BlobTail
  try {
    const scan = new ArchiveScan(recorder, uncompressedDigester, o.limits)
    const compression = await detectLayerCompression(input)
    tail = compression === 'zstd' ? await scanFrames(input, scan, o.limits) : await scanMembers(input, scan)
    scan.end()
  } finally {
    await input.close()
  }
  const uncompressed = uncompressedDigester.finish()
  const archive = recorder.finish()
  const { toc, externalToc, frameDigest } = await locateToc(tail, archive.toc, o)
  assertDigest('the compressed table of contents', frameDigest, o.tocFrameDigest)
  assertDigest('the table of contents', toc.digest, o.tocDigest)
  assertDigest('the decompressed layer', uncompressed.digest, o.diffId)
  const landmarks = new LandmarkReader()
  let members: TocMembers = {}
  const listed = (function* () {
    members = yield* observedBy(landmarks, parseTocEntries(toc, o.limits))
  })()
  const verified = verifyToc(listed, archive, { isExternal: externalToc })
  if (members.tarSplitDigest !== undefined) assertTarSplit(tail, members.tarSplitDigest, o.limits)
  const { landmark, prioritized } = landmarks.summarize()
  return {
    ...blobDigester.finish(),
    diffId: uncompressed.digest,
    uncompressedSize: uncompressed.size,
    tocDigest: toc.digest,
    externalToc,
    ...verified,
    landmark,
    prioritized,
  }
}

function* observedBy(
  landmarks: LandmarkReader,
  entries: Generator<TocEntry, TocMembers, void>,
): Generator<TocEntry, TocMembers, void> {
  for (;;) {
    const item = entries.next()
    if (item.done) return item.value
    landmarks.add(item.value)
    yield item.value
  }
}

/**
 * Checks the tar-split data that a table of contents refers to.
 * @throws LayerError VERIFICATION_FAILED, LIMIT_EXCEEDED
 */
function assertTarSplit({ tarSplitFrame }: BlobTail, expected: string, limits: LayerLimits): void {
  if (tarSplitFrame && !tarSplitFrame.content) throw tocTooLargeError(limits)
  const actual = tarSplitFrame?.content && digestOf(tarSplitFrame.content)
  if (actual === expected) return
  throw new LayerError(
    'VERIFICATION_FAILED',
    `the table of contents refers to tar-split data with the digest ${expected}, but the blob has ${actual ?? 'none'}`,
  )
}

/**
 * Returns the table of contents that the footer points at.
 * @throws LayerError NOT_ESTARGZ, VERIFICATION_FAILED
 */
async function locateToc(
  { footer, tocFrame }: BlobTail,
  lastMember: EmbeddedToc | undefined,
  o: { limits: LayerLimits; externalToc?: Buffer },
): Promise<{ toc: TocFile; externalToc: boolean; frameDigest?: Digest }> {
  if (footer?.kind === 'external') {
    if (!o.externalToc) throw externalTocNotFound()
    return { toc: await decodeTocMember(o.externalToc, o.limits), externalToc: true }
  }
  const embedded =
    footer?.kind === 'zstd'
      ? tocFrame?.content && {
          file: await decodeTocFrame(tocFrame.content, o.limits),
          memberOffset: frameContentOffset(tocFrame.offset),
        }
      : lastMember
  if (!footer || !embedded) {
    throw new LayerError(
      'NOT_ESTARGZ',
      'the blob does not end with a table of contents and an eStargz footer',
    )
  }
  if (embedded.memberOffset !== footer.tocOffset) {
    throw new LayerError(
      'VERIFICATION_FAILED',
      `the footer points at byte ${footer.tocOffset}, but the table of contents is at byte ${embedded.memberOffset}`,
    )
  }
  const frame = footer.kind === 'zstd' ? tocFrame?.content : undefined
  return { toc: embedded.file, externalToc: false, ...(frame && { frameDigest: digestOf(frame) }) }
}

/** @param subject what has the digest, for the error message */
function assertDigest(subject: string, actual: Digest | undefined, expected: string | undefined): void {
  if (expected === undefined || actual === expected) return
  throw new LayerError(
    'VERIFICATION_FAILED',
    `${subject} has the digest ${actual ?? '(none)'}, but the manifest or config promises ${expected}`,
  )
}

async function* digested(source: AsyncIterable<Uint8Array>, digester: Digester): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    digester.add(piece)
    yield piece
  }
}
