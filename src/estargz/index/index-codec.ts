import { releaseBuffers } from '../../bytes/release-buffers.ts'
import { asBuffer } from '../../compression/byte-source.ts'
import { compressBuffer, decompressBuffer } from '../../compression/compressed-buffer.ts'
import { type ColumnArray, columnBytes, newSharedColumn } from './columns.ts'
import { COLUMN_NAMES, type ColumnName, INDEX_COLUMNS } from './index-columns.ts'
import { LayerIndex, type LayerIndexData } from './layer-index.ts'

/**
 * Must change with the columns and with their encoding, so that indexes in an older format are not decoded.
 */
const VERSION = 5
/** `RBI` and the version. All numbers are little-endian, as on every machine that Node supports. */
const MAGIC = Buffer.from([0x52, 0x42, 0x49, VERSION])

/**
 * The JSON at the end of an encoded index. The keys are the format on disk: `packing` is the compression of
 * the layer's members, `sourcePlainSize` the uncompressed size of the source, `rows` the row count and
 * `packed` the compressed size in bytes of each column.
 */
type EncodedHead = Omit<LayerIndexData, 'columns' | 'compression' | 'sourceUncompressedSize'> & {
  readonly packing: LayerIndexData['compression']
  readonly sourcePlainSize: number
  readonly rows: Record<ColumnName, number>
  readonly packed: Record<ColumnName, number>
}

/** An upper bound on the head. */
const MAX_HEAD_BYTES = 64 * 1024

/** An upper bound on what zstd makes of incompressible bytes. */
function maxCompressedBytes(bytes: number): number {
  return bytes + (bytes >> 7) + 1024
}

/**
 * Encodes an index: the compressed columns one after the other, a head in JSON, and the head's length. The
 * result has memory of its own.
 */
export function encodeIndex({ data }: LayerIndex): Buffer {
  const { columns, compression, chunkSize, sourceDiffId, sourceUncompressedSize } = data
  const maxBytes = COLUMN_NAMES.reduce(
    (sum, name) => sum + maxCompressedBytes(columns[name].byteLength),
    MAX_HEAD_BYTES,
  )
  // Only one compressed column exists twice at any time. Pages that are never written take no memory.
  const encoded = Buffer.allocUnsafeSlow(maxBytes)
  let offset = MAGIC.copy(encoded)
  const compressedSizes = COLUMN_NAMES.map((name) => {
    const compressed = compressBuffer(columnBytes(columns[name]))
    offset += compressed.copy(encoded, offset)
    const { length } = compressed
    releaseBuffers(compressed)
    return length
  })
  const rows = COLUMN_NAMES.map((name) => columns[name].length)
  const head: EncodedHead = {
    packing: compression,
    chunkSize,
    sourceDiffId,
    sourcePlainSize: sourceUncompressedSize,
    rows: byColumnName(rows),
    packed: byColumnName(compressedSizes),
  }
  const headLength = encoded.write(JSON.stringify(head), offset)
  offset = encoded.writeUInt32LE(headLength, offset + headLength)
  return encoded.subarray(0, offset)
}

/**
 * Decodes an index.
 * @param maxBytes the maximum decoded size of the columns
 * @returns undefined for an index of another version or a damaged one; the caller can build it again from the
 *   source
 */
export function decodeIndex(encoded: Uint8Array, maxBytes: number): LayerIndex | undefined {
  const bytes = asBuffer(encoded)
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  try {
    return decode(bytes, maxBytes)
  } catch {
    return undefined
  }
}

/** @throws RangeError; errors of JSON, Buffer and {@link decompressBuffer} for damaged bytes */
function decode(bytes: Buffer, maxBytes: number): LayerIndex {
  const headEnd = bytes.length - 4
  const headStart = headEnd - bytes.readUInt32LE(headEnd)
  const head = JSON.parse(bytes.toString('utf8', headStart, headEnd)) as EncodedHead
  const { packing, chunkSize, sourceDiffId, sourcePlainSize, rows, packed } = head
  const decodedBytes = COLUMN_NAMES.reduce(
    (sum, name) => sum + rows[name] * INDEX_COLUMNS[name].BYTES_PER_ELEMENT,
    0,
  )
  if (decodedBytes > maxBytes) {
    throw new RangeError(`the index has ${decodedBytes} bytes, more than the allowed ${maxBytes}`)
  }
  let offset = MAGIC.length
  const columns = COLUMN_NAMES.map((name) => {
    const column: ColumnArray = newSharedColumn<ColumnArray>(INDEX_COLUMNS[name], rows[name])
    decompressInto(columnBytes(column), bytes.subarray(offset, offset + packed[name]))
    offset += packed[name]
    return column
  })
  return new LayerIndex({
    compression: packing,
    chunkSize,
    sourceDiffId,
    sourceUncompressedSize: sourcePlainSize,
    columns: byColumnName(columns) as unknown as LayerIndexData['columns'],
  })
}

function decompressInto(column: Buffer, compressed: Buffer): void {
  const bytes = decompressBuffer(compressed, column.length)
  bytes.copy(column)
  releaseBuffers(bytes)
}

function byColumnName<Value>(values: readonly Value[]): Record<ColumnName, Value> {
  return Object.fromEntries(COLUMN_NAMES.map((name, i) => [name, values[i]])) as Record<ColumnName, Value>
}
