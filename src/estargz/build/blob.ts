import { Digester } from '../../bytes/digester.ts'
import type { LayerCoder } from '../../compression/layer-coder.ts'
import type { MemberCompressor } from '../../compression/member-compressor.ts'
import type { LayerLimits } from '../../tar/limits.ts'
import type { BlobFormat } from '../blob-format.ts'
import { type AddedDirectory, headerOfAdded } from '../index/added-directories.ts'
import type { LayerIndex } from '../index/layer-index.ts'
import { TarSplitWriter } from '../tar-split/tar-split.ts'
import type { Arrangement } from './arrange.ts'
import { Assembly } from './assembly.ts'
import { type BlobResult, BlobWriter, type UncompressedDigester } from './blob-writer.ts'
import { DualDigester } from './dual-digester.ts'
import type { ReadInto } from './member-reader.ts'
import { splitLayer, type Write } from './split.ts'

export type { BlobResult } from './blob-writer.ts'
export type { ReadInto } from './member-reader.ts'

/** A blob, and the index of its members: what a new arrangement needs beside the blob itself. */
export type IndexedBlob = BlobResult & { index: LayerIndex }

/**
 * Converts a layer in one pass, with no prioritized files and nothing kept: members in source order, directories that are
 * added, the no-prefetch landmark, table of contents, footer. The bytes are the ones that {@link assembleBlob} makes of the
 * same layer with no prioritized files, when no members are shared.
 * @throws LayerError; errors of `plain` and `write` pass unchanged. What was written is then worth nothing
 */
export async function streamLayer(
  coder: Pick<LayerCoder, 'plain' | 'content' | 'compressor'>,
  o: {
    format: BlobFormat
    limits: LayerLimits
    write: Write
    /** Asked once the archive is at its end. */
    added?: (index: LayerIndex) => Promise<readonly AddedDirectory[]>
  },
): Promise<IndexedBlob> {
  const { format, limits, write } = o
  const tarSplit = format.tarSplit ? new TarSplitWriter(coder.compressor, limits) : undefined
  const tally = new DualDigester(tarSplit && ((bytes) => tarSplit.push(bytes)))
  const blob = new BlobWriter({ format, compressor: coder.compressor, write, plain: tally, tarSplit })
  let added: readonly AddedDirectory[] = []
  const index = await splitLayer(coder, {
    format,
    limits,
    write: (bytes) => blob.copy(bytes),
    tally,
    added: async (index) => {
      added = (await o.added?.(index)) ?? []
      // An archive that stays as it is has them in its table of contents alone.
      return format.lossless ? [] : added.map(headerOfAdded)
    },
  })
  if (!format.lossless) await blob.landmark('no-prefetch')
  const result = await blob.finish({
    index,
    added,
    landmarkAfter: index.length + added.length,
    prioritizedFiles: 0,
    limits,
  })
  return { ...result, index }
}

/**
 * Writes the blob of a split layer in a new order. Members of content are copied; headers are compressed
 * again only where their neighbours changed.
 * @param o.read reads the stream of members
 * @throws LayerError; errors of `read` and `write` pass unchanged
 */
export async function assembleBlob(o: {
  format: BlobFormat
  index: LayerIndex
  /** Entries that are not of the index; the arrangement numbers them behind its own. */
  added?: readonly AddedDirectory[]
  arrangement: Arrangement
  read: ReadInto
  compressor: MemberCompressor
  write: Write
  limits: LayerLimits
}): Promise<IndexedBlob> {
  const { arrangement, format, index, added = [] } = o
  const tarSplit = format.tarSplit ? new TarSplitWriter(o.compressor, o.limits) : undefined
  const tally = new Digester()
  const plain: UncompressedDigester = {
    add(bytes) {
      tally.add(bytes)
      tarSplit?.push(bytes)
    },
    finish: () => tally.finish(),
  }
  const blob = new BlobWriter({ format, compressor: o.compressor, write: o.write, plain, tarSplit })
  const moved = await new Assembly({ index, added, read: o.read, blob, plain }).write(arrangement)
  const result = await blob.finish({
    index: moved,
    added,
    order: arrangement.order,
    landmarkAfter: arrangement.landmarkAfter,
    prioritizedFiles: arrangement.placed.length,
    limits: o.limits,
  })
  return { ...result, index: moved }
}
