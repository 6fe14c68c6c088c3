import type { LayerCoder } from '../../compression/layer-coder.ts'
import type { LayerLimits } from '../../tar/layer-limits.ts'
import { type TarEvent, TarScanner } from '../../tar/tar-scanner.ts'
import type { BlobFormat } from '../blob-format.ts'
import type { LayerIndex } from '../index/layer-index.ts'
import { DualDigester } from './dual-digester.ts'
import { MemberSplitter } from './member-splitter.ts'
import type { WriteBytes } from './write-bytes.ts'

/** Pieces are scanned in slices, so that one large piece does not become one large queue. */
const SLICE_BYTES = 1 << 20

/**
 * Splits a tar archive into self-contained members and writes them in source order: one for the headers of
 * consecutive entries up to the first with content, one for each chunk of content; the last chunk's member
 * also holds the padding. With a `minChunkSize`, smaller files stay in the member of their headers until that
 * is full, except in the first member, see `sharesMember`. The table of contents and landmarks of an
 * earlier conversion are dropped, unless the format is lossless.
 * @param o.digester gets the uncompressed bytes of the source and of every member, in order
 * @throws LayerError; errors of `coder` and `write` pass unchanged
 */
export async function splitIntoMembers(
  coder: Pick<LayerCoder, 'uncompressed' | 'content' | 'compressor'>,
  o: {
    format: BlobFormat
    limits: LayerLimits
    write: WriteBytes
    digester?: DualDigester
    /** Resolves to headers of entries to append. The index does not list these entries. */
    findAddedHeaders?: (index: LayerIndex) => Promise<readonly Buffer[]>
  },
): Promise<LayerIndex> {
  const digester = o.digester ?? new DualDigester()
  const scanner = new TarScanner(o.limits)
  const splitter = new MemberSplitter(coder, o, digester)
  const split = async (events: Iterable<TarEvent>) => {
    for (const event of events) {
      for (const bytes of splitter.split(event)) {
        // Most writes complete synchronously, and there are several per entry.
        const written = o.write(bytes)
        if (written) await written
      }
    }
  }
  for await (const piece of coder.uncompressed) {
    for (let start = 0; start < piece.length; start += SLICE_BYTES) {
      await split(scanner.push(piece.subarray(start, start + SLICE_BYTES)))
    }
    digester.flush()
    await o.write(splitter.flush())
  }
  await split(scanner.end())
  const source = digester.finishSource()
  const { compression, chunkSize } = o.format
  const trailing = splitter.openTrailingMember()
  const index = splitter.index.finish({
    compression,
    chunkSize,
    sourceDiffId: source.digest,
    sourceUncompressedSize: source.size,
  })
  for (const header of (await o.findAddedHeaders?.(index)) ?? []) {
    digester.add(header)
    const member = trailing.addHeader(header)
    if (member) await o.write(member)
  }
  await o.write(trailing.finish(index))
  return index
}
