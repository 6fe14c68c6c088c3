import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { release } from '../bytes/release.ts'
import { type Numbers, newRows } from './columns.ts'
import {
  type ColumnName,
  INDEX_COLUMNS,
  type IndexColumns,
  type IndexData,
  LayerIndex,
} from './layer-index.ts'

/** Changes with the columns, so that what was kept before is not believed. */
const VERSION = 1
/** Little-endian, as every machine that Node runs on: `RBI`, and the version. */
const MAGIC = Buffer.from([0x52, 0x42, 0x49, VERSION])

type Head = Omit<IndexData, 'columns'> & { readonly lengths: Record<ColumnName, number> }

const names = Object.keys(INDEX_COLUMNS) as ColumnName[]

/** An index as bytes, to be kept: a head in JSON, and the columns one after the other; by zstd. */
export function packIndex({ data: { columns, ...rest } }: LayerIndex): Buffer {
  const lengths = Object.fromEntries(names.map((name) => [name, columns[name].length]))
  const head = Buffer.from(JSON.stringify({ ...rest, lengths }))
  const size = Buffer.alloc(4)
  size.writeUInt32LE(head.length)
  const parts = [MAGIC, size, head, ...names.map((name) => bytesOf(columns[name]))]
  const whole = Buffer.concat(parts)
  // An index is large and kept for a while only: speed counts.
  const packed = zstdCompressSync(whole, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
  release(whole)
  return packed
}

/**
 * @param maxBytes of what it comes to
 * @returns undefined for what another version kept, or what is no index: whatever it is, the source is still there
 */
export function unpackIndex(packed: Uint8Array, maxBytes: number): LayerIndex | undefined {
  const bytes = unpacked(packed, maxBytes)
  if (bytes === undefined || bytes.length < 8 || !bytes.subarray(0, 4).equals(MAGIC)) return undefined
  let at = 8 + bytes.readUInt32LE(4)
  const { lengths, ...rest } = JSON.parse(bytes.toString('utf8', 8, at)) as Head
  const columns = names.map((name) => {
    const rows: Numbers = newRows<Numbers>(INDEX_COLUMNS[name], lengths[name])
    at += bytes.copy(bytesOf(rows), 0, at)
    return [name, rows]
  })
  if (at !== bytes.length) return undefined
  release(bytes)
  return new LayerIndex({ ...rest, columns: Object.fromEntries(columns) as IndexColumns })
}

function unpacked(packed: Uint8Array, maxBytes: number): Buffer | undefined {
  try {
    return zstdDecompressSync(packed, { maxOutputLength: maxBytes })
  } catch {
    return undefined
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Numbers): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
}
