import { ByteSource } from '../../compression/byte-source.ts'
import { gzipMembers } from '../../compression/gzip-members.ts'
import { zstdFrames } from '../../compression/zstd-frames.ts'
import { TOC_NAME } from '../../rootfs/reserved-names.ts'
import { LayerError } from '../../tar/layer-error.ts'
import { type LayerLimits, tocTooLargeError } from '../../tar/layer-limits.ts'
import { TarScanner } from '../../tar/tar-scanner.ts'
import { type TocFile, TocFileBuilder } from '../toc/toc-file.ts'

/** Decodes the zstd frame of a table of contents. @throws LayerError NOT_ESTARGZ, LIMIT_EXCEEDED */
export function decodeTocFrame(frame: Buffer, limits: LayerLimits): Promise<TocFile> {
  return wrapErrors(async () => {
    const toc = new TocFileBuilder()
    for await (const event of zstdFrames(ByteSource.ofBuffer(frame), limits)) {
      if (event.kind === 'bytes') addBytes(toc, event.bytes, limits)
    }
    return toc.finish()
  })
}

/**
 * Decodes the gzip member of a table of contents, a tar archive.
 * @throws LayerError NOT_ESTARGZ, LIMIT_EXCEEDED
 */
export function decodeTocMember(member: Buffer, limits: LayerLimits): Promise<TocFile> {
  return wrapErrors(async () => {
    const toc = new TocFileBuilder()
    const scanner = new TarScanner(limits)
    for await (const memberEvent of gzipMembers(ByteSource.ofBuffer(member))) {
      if (memberEvent.kind !== 'bytes') continue
      for (const event of scanner.push(memberEvent.bytes)) {
        if (event.kind === 'end') return toc.finish()
        if (event.kind === 'content') addBytes(toc, event.bytes, limits)
        else if (event.kind === 'entry' && event.entry.name !== TOC_NAME) throw notToc()
      }
    }
    throw notToc()
  })
}

function addBytes(toc: TocFileBuilder, bytes: Buffer, limits: LayerLimits): void {
  if (toc.size + bytes.length > limits.maxTocBytes) throw tocTooLargeError(limits)
  toc.add(bytes)
}

function notToc(): LayerError {
  return new LayerError('NOT_ESTARGZ', `the footer points at something other than ${TOC_NAME}`)
}

/**
 * Reports decoding errors as NOT_ESTARGZ, as the footer must point at other bytes. LIMIT_EXCEEDED passes
 * unchanged.
 */
async function wrapErrors(decode: () => Promise<TocFile>): Promise<TocFile> {
  try {
    return await decode()
  } catch (cause) {
    if (!(cause instanceof LayerError) || ['LIMIT_EXCEEDED', 'NOT_ESTARGZ'].includes(cause.code)) throw cause
    throw new LayerError('NOT_ESTARGZ', 'the table of contents is not where the footer points', { cause })
  }
}
