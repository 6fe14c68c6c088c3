import type { LayerCoder } from '../../compression/layer-coder.ts'
import type { LayerLimits } from '../../tar/layer-limits.ts'
import type { BlobFormat } from '../blob-format.ts'
import { type AddedDirectory, encodeAddedDirectory } from '../index/added-directories.ts'
import type { LayerIndex } from '../index/layer-index.ts'
import { TarSplitWriter } from '../tar-split/tar-split-writer.ts'
import type { IndexedBlob } from './blob-result.ts'
import { BlobWriter } from './blob-writer.ts'
import { DualDigester } from './dual-digester.ts'
import { splitIntoMembers } from './split-into-members.ts'
import type { WriteBytes } from './write-bytes.ts'

/**
 * Converts a layer in one pass, without prioritized files and without storing its members: members in source
 * order, added directories, the no-prefetch landmark, table of contents, footer. Unless members are shared,
 * `assembleBlob` writes the same bytes for the same layer without prioritized files.
 * @throws LayerError; errors of `coder` and `write` pass unchanged. Discard the bytes written so far
 */
export async function streamLayer(
  coder: Pick<LayerCoder, 'uncompressed' | 'content' | 'compressor'>,
  o: {
    format: BlobFormat
    limits: LayerLimits
    write: WriteBytes
    /** Called at the end of the archive. Resolves to the directories to add. */
    findAdded?: (index: LayerIndex) => Promise<readonly AddedDirectory[]>
  },
): Promise<IndexedBlob> {
  const { format, limits, write } = o
  const { compressor } = coder
  const tarSplit = format.tarSplit ? new TarSplitWriter(compressor, limits) : undefined
  const digester = new DualDigester(tarSplit && ((bytes) => tarSplit.push(bytes)))
  const blob = new BlobWriter({ format, compressor, write, digester, tarSplit })
  let added: readonly AddedDirectory[] = []
  const index = await splitIntoMembers(coder, {
    format,
    limits,
    write: (bytes) => blob.writeCompressed(bytes),
    digester,
    findAddedHeaders: async (sourceIndex) => {
      added = (await o.findAdded?.(sourceIndex)) ?? []
      // A lossless blob lists added directories only in its table of contents.
      return format.lossless ? [] : added.map(encodeAddedDirectory)
    },
  })
  if (!format.lossless) await blob.writeLandmark('no-prefetch')
  const result = await blob.finish({
    index,
    added,
    landmarkIndex: index.length + added.length,
    prioritizedFiles: 0,
    limits,
  })
  return { ...result, index }
}
