import type { Scratch, ScratchFile } from '../bytes/scratch.ts'
import type { BlobResult } from '../estargz/blob.ts'
import type { CompressionChoice } from '../estargz/deflate/tuner.ts'
import type { LayerIndex } from '../estargz/layer-index.ts'
import type { Digest } from '../oci/digest.ts'
import type { Descriptor } from '../oci/documents.ts'
import { layerCompression } from '../oci/media-types.ts'
import type { MeasuredLayer } from '../records/measured-layer.ts'
import type { RecordEntry } from '../records/model.ts'
import { type ResolvedRecord, resolveRecord } from '../records/resolve.ts'
import type { Repository } from '../registry/repository.ts'
import { at } from './errors.ts'
import type { Image } from './image.ts'
import type { LayerTask } from './layer-task.ts'
import { measuredByIndex } from './list-layers.ts'
import { Memo } from './memo.ts'
import type { LayerSteps } from './progress.ts'
import type { ThreadPool } from './thread-pool.ts'
import { together } from './together.ts'

/** How much scratch a layer takes, by its size: members, and the blob that is made of them while they are there. */
const SCRATCH_FACTOR = { none: 2, gzip: 2.5, zstd: 3.5 }

/** What is needed to convert an image with a record. */
export type ArrangeOptions = {
  readonly source: Repository
  readonly target: Repository
  readonly threads: ThreadPool
  readonly scratch: Scratch
  readonly settings: Pick<LayerTask & { kind: 'split' }, 'limits' | 'compression'>
  readonly signal: AbortSignal
}

/** A layer cut into members, which wait in a file. */
type SplitLayer = {
  readonly index: LayerIndex
  readonly compression: CompressionChoice
  readonly members: ScratchFile
}
export type ArrangedLayer = BlobResult & {
  readonly sourceDiffId: Digest
  readonly compression: CompressionChoice
}

/** The converted layers, where the record's paths led, and what was in the source layers. */
export type ArrangedImage = {
  readonly layers: ArrangedLayer[]
  readonly resolved: ResolvedRecord
  readonly measured: MeasuredLayer[]
}

/**
 * Converts the layers of an image with a record: all of them are cut into members first, because where a path leads is
 * known only when all layers are.
 * @param steps one for each layer
 */
export async function arrangeImage(
  image: Image,
  entries: readonly RecordEntry[],
  steps: readonly LayerSteps[],
  options: ArrangeOptions,
): Promise<ArrangedImage> {
  const { layers } = image.manifest
  await options.scratch.expect(scratchBytes(layers))
  const files: ScratchFile[] = []
  try {
    const splits = new Memo<SplitLayer>()
    const split = await together(layers, options.signal, (layer, i, signal) =>
      splits.get(layer.digest, () => splitLayer(layer, steps[i], files, { ...options, signal })),
    )
    const resolved = resolveRecord({
      entries,
      layers: split.map((one) => one.index.entries),
      manifestDigest: image.descriptor.digest,
    })
    const blobs = new Memo<ArrangedLayer>()
    const arranged = await together(split, options.signal, async (one, i, signal) => {
      const prioritized = resolved.prioritized[i] ?? []
      const key = JSON.stringify([one.index.sourceDiffId, prioritized])
      const blob = await blobs.get(key, () => assemble(one, prioritized, steps[i], { ...options, signal }))
      steps[i]?.done(blob.size)
      return blob
    })
    const measured = layers.map((layer, i) => measuredByIndex(layer, split[i]?.index.entries ?? []))
    return { layers: arranged, resolved, measured }
  } finally {
    await Promise.all(files.map((file) => file.close()))
  }
}

function scratchBytes(layers: readonly Descriptor[]): number {
  const each = layers.map(
    ({ size, mediaType }) => size * SCRATCH_FACTOR[layerCompression(mediaType) ?? 'zstd'],
  )
  return Math.ceil(each.reduce((sum, bytes) => sum + bytes, 0))
}

async function splitLayer(
  layer: Descriptor,
  steps: LayerSteps | undefined,
  files: ScratchFile[],
  { source, threads, scratch, settings, signal }: ArrangeOptions,
): Promise<SplitLayer> {
  const members = await scratch.file()
  files.push(members)
  const input = async () => {
    const bytes = await source.blob(layer, { signal })
    return steps?.reading(bytes) ?? bytes
  }
  const write = (bytes: Buffer) => {
    steps?.wrote(bytes.length)
    return members.write(bytes)
  }
  const { compression, ...index } = await at('source', () =>
    threads.run({ kind: 'split', ...settings }, { input, write, signal }),
  )
  steps?.state('converted')
  return { index, compression, members }
}

async function assemble(
  { index, compression, members }: SplitLayer,
  prioritized: readonly string[],
  steps: LayerSteps | undefined,
  { target, threads, scratch, settings, signal }: ArrangeOptions,
): Promise<ArrangedLayer> {
  const blob = await scratch.file()
  try {
    const task = { kind: 'assemble' as const, index, prioritized, members: members.path, ...settings }
    const result = await at('source', () =>
      threads.run(task, { write: (bytes) => blob.write(bytes), signal }),
    )
    steps?.state('uploading')
    await at('target', () => target.pushBlob(result, () => blob.read(), { signal }))
    return { ...result, sourceDiffId: index.sourceDiffId, compression }
  } finally {
    await blob.close()
  }
}
