import { arrange } from '../../src/estargz/arrange.ts'
import { assembleBlob, type BlobResult, streamLayer } from '../../src/estargz/blob.ts'
import { type Compression, compressorFor, openLayerCoder } from '../../src/estargz/layer-coder.ts'
import type { LayerIndex } from '../../src/estargz/layer-index.ts'
import { DEFAULT_LIMITS } from '../../src/estargz/limits.ts'
import { splitLayer } from '../../src/estargz/split.ts'

const limits = DEFAULT_LIMITS
const AUTO: Compression = { method: 'auto', level: 6 }

/** Bytes in pieces of a size. */
export async function* piecesOf(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** Converts a layer held in memory by the path with a record; the index goes through JSON, as it does when kept. */
export async function convertLayer(
  layer: Buffer,
  prioritized: string[] = [],
  o: { pieces?: number; compression?: Compression } = {},
): Promise<{ blob: Buffer; result: BlobResult; index: LayerIndex; placed: string[] }> {
  const compression = o.compression ?? AUTO
  const members: Buffer[] = []
  const coder = await openLayerCoder(piecesOf(layer, o.pieces), { compression, limits })
  const split = await splitLayer(coder, { limits, write: (bytes) => void members.push(Buffer.from(bytes)) })
  const index = JSON.parse(JSON.stringify(split)) as LayerIndex
  const kept = Buffer.concat(members)
  const arrangement = arrange(index, prioritized)
  const parts: Buffer[] = []
  const result = await assembleBlob({
    index,
    arrangement,
    read: (start, end) => piecesOf(kept.subarray(start, end)),
    compressor: compressorFor(compression),
    write: (bytes) => void parts.push(Buffer.from(bytes)),
  })
  return { blob: Buffer.concat(parts), result, index, placed: arrangement.placed }
}

/** Converts a layer held in memory by the path without a record. */
export async function streamedLayer(
  layer: Buffer,
  o: { pieces?: number; compression?: Compression } = {},
): Promise<{ blob: Buffer; result: Awaited<ReturnType<typeof streamLayer>> }> {
  const parts: Buffer[] = []
  const compression = o.compression ?? AUTO
  const coder = await openLayerCoder(piecesOf(layer, o.pieces), { compression, limits })
  const result = await streamLayer(coder, { limits, write: (bytes) => void parts.push(Buffer.from(bytes)) })
  return { blob: Buffer.concat(parts), result }
}
