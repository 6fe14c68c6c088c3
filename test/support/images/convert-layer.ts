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
  /** The size of the pieces in which the source is read, in bytes. */
  pieceSize?: number
  compression?: CompressionPolicy
  format?: Partial<BlobFormat>
  /** Archives of the lower layers, the nearest first. If omitted, no directories are added. */
  lower?: readonly Buffer[]
}

/** Returns the parent directories that the layer lacks and that the conversion adds. */
async function findAdded(
  index: LayerIndex,
  lower: LayerConversionOptions['lower'],
): Promise<AddedDirectory[]> {
  if (lower === undefined) return []
  const trees = await Promise.all(
    lower.map((archive) => readArchiveMetadata(splitIntoPieces(archive), limits)),
  )
  return findAddedDirectories(
    index,
    trees.map(({ columns }) => new ArchiveIndex(columns)),
  )
}

const formatOf = ({ format }: LayerConversionOptions): BlobFormat => ({ ...DEFAULT_FORMAT, ...format })

/** Splits bytes into pieces of a size. */
export async function* splitIntoPieces(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size)
}

/**
 * Converts a layer in memory on the path with a record. The index is encoded and decoded in between, as the
 * cache does.
 */
export async function convertWithRecord(
  layer: Buffer,
  prioritized: string[] = [],
  options: LayerConversionOptions = {},
): Promise<{ blob: Buffer; result: IndexedBlob; index: LayerIndex; placed: string[] }> {
  const compression = options.compression ?? AUTO
  const format = formatOf(options)
  const members: Buffer[] = []
  const coder = await openLayerCoder(splitIntoPieces(layer, options.pieceSize), {
    format,
    compression,
    limits,
  })
  const split = await splitIntoMembers(coder, {
    format: { ...format, minChunkSize: 0 },
    limits,
    write: (bytes) => void members.push(Buffer.from(bytes)),
  })
  const index = decodeIndex(encodeIndex(split), limits.maxTocBytes)
  if (!index) throw new Error('the encoded index cannot be decoded')
  const converted = await rearrangeMembers(Buffer.concat(members), index, prioritized, options)
  return { ...converted, index }
}

/** Assembles a blob from existing members in another order. */
export async function rearrangeMembers(
  members: Buffer,
  index: LayerIndex,
  prioritized: string[],
  options: LayerConversionOptions = {},
): Promise<{ blob: Buffer; result: IndexedBlob; placed: string[] }> {
  const added = await findAdded(index, options.lower)
  const arrangement = arrangeEntries(withAddedDirectories(index, added), prioritized)
  const parts: Buffer[] = []
  const format = formatOf(options)
  const result = await assembleBlob({
    format,
    limits,
    index,
    added,
    arrangement,
    read: (into, start) => void members.copy(into, 0, start),
    compressor: createMemberCompressor(format, options.compression ?? AUTO),
    write: (bytes) => void parts.push(Buffer.from(bytes)),
  })
  return { blob: Buffer.concat(parts), result, placed: arrangement.prioritizedNames }
}

/** Converts a layer in memory on the path without a record. */
export async function convertWithoutRecord(
  layer: Buffer,
  options: LayerConversionOptions = {},
): Promise<{ blob: Buffer; result: Awaited<ReturnType<typeof streamLayer>> }> {
  const parts: Buffer[] = []
  const compression = options.compression ?? AUTO
  const format = formatOf(options)
  const coder = await openLayerCoder(splitIntoPieces(layer, options.pieceSize), {
    format,
    compression,
    limits,
  })
  const result = await streamLayer(coder, {
    format,
    limits,
    write: (bytes) => void parts.push(Buffer.from(bytes)),
    findAdded: (index) => findAdded(index, options.lower),
  })
  return { blob: Buffer.concat(parts), result }
}
