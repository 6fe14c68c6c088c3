import { release } from '../bytes/release.ts'
import { type ColumnName, INDEX_COLUMNS } from './archive-index.ts'
import { asBuffer } from './byte-source.ts'
import { type Numbers, newRows } from './columns.ts'
import { packKept, unpackKept } from './kept-bytes.ts'
import { type IndexData, LayerIndex } from './layer-index.ts'

/** Changes with the columns and with how they are written, so that what was kept before is not believed. */
const VERSION = 2
/** Little-endian, as every machine that Node runs on: `RBI`, and the version. */
const MAGIC = Buffer.from([0x52, 0x42, 0x49, VERSION])

/** `rows` of each column, and the bytes that they take packed. */
type Head = Omit<IndexData, 'columns'> & {
  readonly rows: Record<ColumnName, number>
  readonly packed: Record<ColumnName, number>
}

const names = Object.keys(INDEX_COLUMNS) as ColumnName[]

/**
 * An index as bytes, to be kept: a head in JSON, and the columns one after the other, each packed. Their memory is their
 * own.
 */
export function packIndex({ data: { columns, ...rest } }: LayerIndex): Buffer {
  const packed = names.map((name) => packKept(bytesOf(columns[name])))
  const head: Head = {
    ...rest,
    rows: byName(names.map((name) => columns[name].length)),
    packed: byName(packed.map(({ length }) => length)),
  }
  const text = Buffer.from(JSON.stringify(head))
  const size = Buffer.alloc(4)
  size.writeUInt32LE(text.length)
  const parts = [MAGIC, size, text, ...packed]
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) at += part.copy(whole, at)
  release(...packed)
  return whole
}

/**
 * @param maxBytes of what it comes to
 * @returns undefined for what another version kept, or what is no index: whatever it is, the source is still there
 */
export function unpackIndex(packed: Uint8Array, maxBytes: number): LayerIndex | undefined {
  const bytes = asBuffer(packed)
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  try {
    return unpack(bytes, maxBytes)
  } catch {
    return undefined
  }
}

/** @throws what JSON, buffers and {@link unpackKept} throw at damage; RangeError */
function unpack(bytes: Buffer, maxBytes: number): LayerIndex {
  let at = MAGIC.length + 4 + bytes.readUInt32LE(MAGIC.length)
  const { rows, packed, ...rest } = JSON.parse(bytes.toString('utf8', MAGIC.length + 4, at)) as Head
  const total = names.reduce((sum, name) => sum + rows[name] * INDEX_COLUMNS[name].BYTES_PER_ELEMENT, 0)
  if (total > maxBytes) throw new RangeError(`an index of ${total} bytes is too large`)
  const columns = names.map((name) => {
    const column: Numbers = newRows<Numbers>(INDEX_COLUMNS[name], rows[name])
    unpackInto(bytesOf(column), bytes.subarray(at, at + packed[name]))
    at += packed[name]
    return column
  })
  const data = { ...rest, columns: byName(columns) }
  return new LayerIndex(data as unknown as IndexData)
}

function unpackInto(column: Buffer, packed: Buffer): void {
  const bytes = unpackKept(packed, column.length)
  bytes.copy(column)
  release(bytes)
}

function byName<Value>(values: readonly Value[]): Record<ColumnName, Value> {
  return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<ColumnName, Value>
}

function bytesOf({ buffer, byteOffset, byteLength }: Numbers): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
}
