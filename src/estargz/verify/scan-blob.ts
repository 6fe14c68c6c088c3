import type { Digester } from '../../bytes/digester.ts'
import type { ByteSource } from '../../compression/byte-source.ts'
import { gzipMembers } from '../../compression/gzip-members.ts'
import { zstdFrames } from '../../compression/zstd-frames.ts'
import { type LayerLimits, limitExceededError, maxCompressedTocBytes } from '../../tar/layer-limits.ts'
import { TarScanner } from '../../tar/tar-scanner.ts'
import {
  EXTERNAL_FOOTER_SIZE,
  FOOTER_SIZE,
  type Footer,
  isExternalFooter,
  parseFooter,
  parseTocOffset,
} from '../toc/footer.ts'
import { encodeSkippableFrame, frameContentOffset } from '../toc/zstd-chunked.ts'
import type { ContentRecorder } from './content-recorder.ts'

type SkippableFrame = { readonly offset: number; readonly content: Buffer | undefined }

/** The end of a scanned blob. */
export type BlobTail = {
  readonly footer: Footer | undefined
  /** zstd:chunked only: the skippable frame of the table of contents. */
  readonly tocFrame?: SkippableFrame
  /** zstd:chunked only: the skippable frame of tar-split data. */
  readonly tarSplitFrame?: SkippableFrame
}

/** The frames of the table of contents, tar-split data and the footer. */
const MAX_TAIL_FRAMES = 3

/** Passes the uncompressed bytes of a blob to the scan of its archive. */
export class ArchiveScan {
  readonly #recorder: ContentRecorder
  readonly #digester: Digester
  readonly #limits: LayerLimits
  readonly #scanner: TarScanner

  constructor(recorder: ContentRecorder, digester: Digester, limits: LayerLimits) {
    this.#recorder = recorder
    this.#digester = digester
    this.#limits = limits
    this.#scanner = new TarScanner(limits)
  }

  /** Starts a member. @param offset in bytes of the blob */
  startMember(offset: number): void {
    this.#recorder.startMember(offset)
  }

  /** @throws LayerError LIMIT_EXCEEDED, CORRUPT_TAR, UNSUPPORTED_ENTRY */
  push(bytes: Buffer): void {
    this.#digester.add(bytes)
    if (this.#digester.size > this.#limits.maxUncompressedBytes) {
      throw limitExceededError(
        this.#limits,
        'maxUncompressedBytes',
        'the layer is too large when decompressed',
      )
    }
    this.#recorder.startPiece(bytes)
    for (const event of this.#scanner.push(bytes)) this.#recorder.add(event)
  }

  /** @throws LayerError CORRUPT_TAR */
  end(): void {
    for (const event of this.#scanner.end()) this.#recorder.add(event)
  }
}

/** Scans a blob of gzip members. @throws LayerError */
export async function scanMembers(input: ByteSource, scan: ArchiveScan): Promise<BlobTail> {
  let extraField: Buffer | undefined
  for await (const event of gzipMembers(input)) {
    if (event.kind === 'member') {
      scan.startMember(event.offset)
      extraField = event.header.extra
    } else if (event.kind === 'bytes') {
      scan.push(event.bytes)
      // The footer is an empty member.
      if (event.bytes.length > 0) extraField = undefined
    }
  }
  if (!extraField) return { footer: undefined }
  if (isExternalFooter(extraField)) {
    return { footer: { kind: 'external', footerSize: EXTERNAL_FOOTER_SIZE } }
  }
  const tocOffset = parseTocOffset(extraField)
  return {
    footer: tocOffset === undefined ? undefined : { kind: 'gzip', tocOffset, footerSize: FOOTER_SIZE },
  }
}

/** Scans a blob of zstd frames. @throws LayerError */
export async function scanFrames(
  input: ByteSource,
  scan: ArchiveScan,
  limits: LayerLimits,
): Promise<BlobTail> {
  let tailFrames: SkippableFrame[] = []
  for await (const event of zstdFrames(input, limits, maxCompressedTocBytes(limits))) {
    if (event.kind === 'skippable') {
      tailFrames = [...tailFrames, event].slice(-MAX_TAIL_FRAMES)
      continue
    }
    tailFrames = []
    if (event.kind === 'member') scan.startMember(event.offset)
    else scan.push(event.bytes)
  }
  const footerFrame = tailFrames.at(-1)
  const footer = footerFrame?.content && parseFooter(encodeSkippableFrame(footerFrame.content))
  if (footer?.kind !== 'zstd') return { footer: undefined }
  // If the footer points at none of the frames, the error reports the offset of the last one before it.
  const tocFrame =
    tailFrames.find(({ offset }) => frameContentOffset(offset) === footer.tocOffset) ?? tailFrames.at(-2)
  const tarSplitFrame =
    footer.tarSplitOffset === undefined
      ? tailFrames.find((frame) => frame !== tocFrame && frame !== footerFrame)
      : tailFrames.find(({ offset }) => frameContentOffset(offset) === footer.tarSplitOffset)
  return { footer, ...(tocFrame && { tocFrame }), ...(tarSplitFrame && { tarSplitFrame }) }
}
