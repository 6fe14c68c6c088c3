import {
  type CompressionPolicy,
  createMemberCompressor,
  openLayerCoder,
} from '../../../src/compression/layer-coder.ts'
import { type BlobFormat, DEFAULT_FORMAT } from '../../../src/estargz/blob-format.ts'
import { arrangeEntries } from '../../../src/estargz/build/arrange-entries.ts'
import { assembleBlob } from '../../../src/estargz/build/assemble-blob.ts'
import type { IndexedBlob } from '../../../src/estargz/build/blob-result.ts'
import { splitIntoMembers } from '../../../src/estargz/build/split-into-members.ts'
import { streamLayer } from '../../../src/estargz/build/stream-layer.ts'
import {
  type AddedDirectory,
  findAddedDirectories,
  withAddedDirectories,
} from '../../../src/estargz/index/added-directories.ts'
import { ArchiveIndex } from '../../../src/estargz/index/archive-index.ts'
import { readArchiveMetadata } from '../../../src/estargz/index/archive-metadata.ts'
import { decodeIndex, encodeIndex } from '../../../src/estargz/index/index-codec.ts'
import type { LayerIndex } from '../../../src/estargz/index/layer-index.ts'
import { DEFAULT_LAYER_LIMITS } from '../../../src/tar/layer-limits.ts'

const limits = DEFAULT_LAYER_LIMITS
const AUTO: CompressionPolicy = { method: 'auto', level: 6 }

type LayerConversionOptions = {
  pieceSize?: number
  compression?: CompressionPolicy
  format?: Partial<BlobFormat>
  /** Archives of the layers below, the nearest first; left out: no directory is added. */
  lower?: readonly Buffer[]
}

/** What a layer gets for the directories that it lacks. */
async function addedTo(index: LayerIndex, lower: LayerConversionOptions['lower']): Promise<AddedDirectory[]> {
  if (lower === undefined) return []
  const trees = await Promise.all(lower.map((archive) => readArchiveMetadata(splitIntoPieces(archive), limits)))
  return findAddedDirectories(
    index,
    trees.map(({ columns }) => new ArchiveIndex(columns)),
  )
}

const formatOf = (o: LayerConversionOptions): BlobFormat => ({ ...DEFAULT_FORMAT, ...o.format })

/** Bytes in pieces of a size. */
export async function* splitIntoPieces(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** Converts a layer held in memory by the path with a record; the index is packed in between, as it is when kept. */
export async function convertWithRecord(
  layer: Buffer,
  prioritized: string[] = [],
  o: LayerConversionOptions = {},
): Promise<{ blob: Buffer; result: IndexedBlob; index: LayerIndex; placed: string[] }> {
  const compression = o.compression ?? AUTO
  const format = formatOf(o)
  const members: Buffer[] = []
  const coder = await openLayerCoder(splitIntoPieces(layer, o.pieceSize), { format, compression, limits })
  const split = await splitIntoMembers(coder, {
    format: { ...format, minChunkSize: 0 },
    limits,
    write: (bytes) => void members.push(Buffer.from(bytes)),
  })
  const index = decodeIndex(encodeIndex(split), limits.maxTocBytes)
  if (!index) throw new Error('an index that was packed cannot be unpacked')
  const made = await rearrangeMembers(Buffer.concat(members), index, prioritized, o)
  return { ...made, index }
}

/** Writes members that are at hand in another order. */
export async function rearrangeMembers(
  members: Buffer,
  index: LayerIndex,
  prioritized: string[],
  o: LayerConversionOptions = {},
): Promise<{ blob: Buffer; result: IndexedBlob; placed: string[] }> {
  const added = await addedTo(index, o.lower)
  const arrangement = arrangeEntries(withAddedDirectories(index, added), prioritized)
  const parts: Buffer[] = []
  const format = formatOf(o)
  const result = await assembleBlob({
    format,
    limits,
    index,
    added,
    arrangement,
    read: (into, start) => void members.copy(into, 0, start),
    compressor: createMemberCompressor(format, o.compression ?? AUTO),
    write: (bytes) => void parts.push(Buffer.from(bytes)),
  })
  return { blob: Buffer.concat(parts), result, placed: arrangement.prioritizedNames }
}

/** Converts a layer held in memory by the path without a record. */
export async function convertWithoutRecord(
  layer: Buffer,
  o: LayerConversionOptions = {},
): Promise<{ blob: Buffer; result: Awaited<ReturnType<typeof streamLayer>> }> {
  const parts: Buffer[] = []
  const compression = o.compression ?? AUTO
  const format = formatOf(o)
  const coder = await openLayerCoder(splitIntoPieces(layer, o.pieceSize), { format, compression, limits })
  const result = await streamLayer(coder, {
    format,
    limits,
    write: (bytes) => void parts.push(Buffer.from(bytes)),
    findAdded: (index) => addedTo(index, o.lower),
  })
  return { blob: Buffer.concat(parts), result }
}
