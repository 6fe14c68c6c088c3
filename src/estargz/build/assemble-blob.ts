import { Digester } from '../../bytes/digester.ts'
import type { MemberCompressor } from '../../compression/member-compressor.ts'
import type { LayerLimits } from '../../tar/layer-limits.ts'
import type { BlobFormat } from '../blob-format.ts'
import type { AddedDirectory } from '../index/added-directories.ts'
import type { LayerIndex } from '../index/layer-index.ts'
import { TarSplitWriter } from '../tar-split/tar-split-writer.ts'
import type { Arrangement } from './arrange-entries.ts'
import { BlobAssembler } from './blob-assembler.ts'
import type { IndexedBlob } from './blob-result.ts'
import { BlobWriter, type UncompressedDigester } from './blob-writer.ts'
import type { ReadInto } from './member-reader.ts'
import type { WriteBytes } from './write-bytes.ts'

/**
 * Writes the blob of a layer in a new order from its members. Members of content are copied; headers are
 * compressed again only if the entries around them changed.
 * @param o.read reads the stream of members
 * @throws LayerError; errors of `read` and `write` pass unchanged
 */
export async function assembleBlob(o: {
  format: BlobFormat
  index: LayerIndex
  /** Entries that are not in the index. The arrangement numbers them after those of the index. */
  added?: readonly AddedDirectory[]
  arrangement: Arrangement
  read: ReadInto
  compressor: MemberCompressor
  write: WriteBytes
  limits: LayerLimits
}): Promise<IndexedBlob> {
  const { arrangement, format, compressor, write, added = [] } = o
  const tarSplit = format.tarSplit ? new TarSplitWriter(compressor, o.limits) : undefined
  const outputDigester = new Digester()
  const digester: UncompressedDigester = {
    add(bytes) {
      outputDigester.add(bytes)
      tarSplit?.push(bytes)
    },
    finish: () => outputDigester.finish(),
  }
  const blob = new BlobWriter({ format, compressor, write, digester, tarSplit })
  const assembler = new BlobAssembler({ index: o.index, added, read: o.read, blob, digester })
  const index = await assembler.assemble(arrangement)
  const result = await blob.finish({
    index,
    added,
    order: arrangement.order,
    landmarkIndex: arrangement.landmarkIndex,
    prioritizedFiles: arrangement.prioritizedNames.length,
    limits: o.limits,
  })
  return { ...result, index }
}
