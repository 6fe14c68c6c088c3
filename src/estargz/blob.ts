import { Tally } from '../bytes/tally.ts'
import type { Digest } from '../oci/digest.ts'
import type { Arrangement } from './arrange.ts'
import { Assembly } from './assembly.ts'
import { type BlobResult, BlobWriter } from './blob-writer.ts'
import type { ReadRange } from './header-reader.ts'
import type { LayerCoder } from './layer-coder.ts'
import type { LayerIndex } from './layer-index.ts'
import { DEFAULT_LIMITS, type LayerLimits } from './limits.ts'
import type { MemberCompressor } from './members.ts'
import { splitLayer, type Write } from './split.ts'
import { TwinTally } from './twin-tally.ts'

export type { BlobResult } from './blob-writer.ts'
export type { ReadRange } from './header-reader.ts'

/**
 * Converts a layer in one pass, with no prioritized files and nothing kept: members in source order, the no-prefetch
 * landmark, table of contents, footer. The bytes are the ones that {@link assembleBlob} makes of the
 * same layer with no prioritized files.
 * @throws LayerError; errors of `plain` and `write` pass unchanged. What was written is then worth nothing
 */
export async function streamLayer(
  coder: Pick<LayerCoder, 'plain' | 'content' | 'compressor'>,
  o: { limits: LayerLimits; write: Write },
): Promise<BlobResult & { sourceDiffId: Digest; sourcePlainSize: number }> {
  const tally = new TwinTally()
  const blob = new BlobWriter(coder.compressor, o.write, tally)
  const { entries, sourceDiffId, sourcePlainSize } = await splitLayer(coder, {
    limits: o.limits,
    write: (member) => blob.copy(member),
    tally,
  })
  for (const entry of entries) blob.list(entry, entry.chunks?.map((chunk) => chunk.offset) ?? [])
  await blob.landmark('no-prefetch')
  const result = await blob.finish({
    landmark: 'no-prefetch',
    prioritizedFiles: 0,
    maxTocBytes: o.limits.maxTocBytes,
  })
  return { ...result, sourceDiffId, sourcePlainSize }
}

/**
 * Writes the blob of a split layer in a new order. Members of content are copied; headers are compressed
 * again only where their neighbours changed.
 * @param o.read gives the bytes from `start` up to `end` of the stream of members
 * @throws LayerError; errors of `read` and `write` pass unchanged
 */
export async function assembleBlob(o: {
  index: LayerIndex
  arrangement: Arrangement
  read: ReadRange
  compressor: MemberCompressor
  write: Write
  limits?: LayerLimits
}): Promise<BlobResult> {
  const { arrangement } = o
  const plain = new Tally()
  const blob = new BlobWriter(o.compressor, o.write, plain)
  await new Assembly(o.index, o.read, blob, plain).write(arrangement)
  return blob.finish({
    landmark: arrangement.landmark,
    prioritizedFiles: arrangement.placed.length,
    maxTocBytes: (o.limits ?? DEFAULT_LIMITS).maxTocBytes,
  })
}
