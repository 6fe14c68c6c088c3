import { release } from '../../bytes/release.ts'
import { asBuffer } from '../../compression/byte-source.ts'
import { compressBuffer, decompressBuffer } from '../../compression/compressed-buffer.ts'
import { type ColumnName, INDEX_COLUMNS } from './archive-index.ts'
import { type Numbers, newRows } from './columns.ts'
import { type IndexData, LayerIndex } from './layer-index.ts'

/** Changes with the columns and with how they are written, so that what was kept before is not believed. */
const VERSION = 5
/** Little-endian, as every machine that Node runs on: `RBI`, and the version. */
const MAGIC = Buffer.from([0x52, 0x42, 0x49, VERSION])

/** The number of rows of each column, and its compressed size in bytes. `packing` is the compression of the layer's members. */
type Head = Omit<IndexData, 'columns' | 'compression'> & {
  readonly packing: IndexData['compression']
  readonly rows: Record<ColumnName, number>
  readonly packed: Record<ColumnName, number>
}

/** More than the head takes, and more than zstd adds to what it cannot pack. */
const MAX_HEAD = 64 * 1024
const mostPacked = (bytes: number) => bytes + (bytes >> 7) + 1024

const names = Object.keys(INDEX_COLUMNS) as ColumnName[]

/**
 * An index as bytes, to be kept: the columns one after the other, each packed, a head in JSON, and its length. It lies in
 * memory of its own.
 */
export function encodeIndex({ data: { columns, compression, ...rest } }: LayerIndex): Buffer {
  const most = names.reduce((sum, name) => sum + mostPacked(columns[name].byteLength), MAX_HEAD)
  // No more than the longest column is there twice. What is never written to takes no memory.
  const whole = Buffer.allocUnsafeSlow(most)
  let at = MAGIC.copy(whole)
  const packed = names.map((name) => {
    const bytes = compressBuffer(bytesOf(columns[name]))
    at += bytes.copy(whole, at)
    const { length } = bytes
    release(bytes)
    return length
  })
  const rows = names.map((name) => columns[name].length)
  const head: Head = { packing: compression, ...rest, rows: byName(rows), packed: byName(packed) }
  const length = whole.write(JSON.stringify(head), at)
  at = whole.writeUInt32LE(length, at + length)
  return whole.subarray(0, at)
}

/**
 * @param maxBytes of what it comes to
 * @returns undefined for what another version kept, or what is no index: whatever it is, the source is still there
 */
export function decodeIndex(packed: Uint8Array, maxBytes: number): LayerIndex | undefined {
  const bytes = asBuffer(packed)
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  try {
    return unpack(bytes, maxBytes)
  } catch {
    return undefined
  }
}

/** @throws what JSON, buffers and {@link decompressBuffer} throw at damage; RangeError */
function unpack(bytes: Buffer, maxBytes: number): LayerIndex {
  const headEnd = bytes.length - 4
  const headStart = headEnd - bytes.readUInt32LE(headEnd)
  const { rows, packed, packing, ...rest } = JSON.parse(bytes.toString('utf8', headStart, headEnd)) as Head
  const total = names.reduce((sum, name) => sum + rows[name] * INDEX_COLUMNS[name].BYTES_PER_ELEMENT, 0)
  if (total > maxBytes) throw new RangeError(`an index of ${total} bytes is too large`)
  let at = MAGIC.length
  const columns = names.map((name) => {
    const column: Numbers = newRows<Numbers>(INDEX_COLUMNS[name], rows[name])
    unpackInto(bytesOf(column), bytes.subarray(at, at + packed[name]))
    at += packed[name]
    return column
  })
  const data = { ...rest, compression: packing, columns: byName(columns) }
  return new LayerIndex(data as unknown as IndexData)
}

function unpackInto(column: Buffer, packed: Buffer): void {
  const bytes = decompressBuffer(packed, column.length)
  bytes.copy(column)
  release(bytes)
}

function byName<Value>(values: readonly Value[]): Record<ColumnName, Value> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<ColumnName, Value>
}

function bytesOf({ buffer, byteOffset, byteLength }: Numbers): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
}
