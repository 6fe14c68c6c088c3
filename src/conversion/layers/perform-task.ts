import { closeSync, openSync, readSync } from 'node:fs'
import { asBuffer } from '../../compression/byte-source.ts'
import { decodeLayer } from '../../compression/decode-layer.ts'
import { createMemberCompressor, openLayerCoder } from '../../compression/layer-coder.ts'
import { arrangeEntries } from '../../estargz/build/arrange-entries.ts'
import { assembleBlob } from '../../estargz/build/assemble-blob.ts'
import type { IndexedBlob } from '../../estargz/build/blob-result.ts'
import { splitIntoMembers } from '../../estargz/build/split-into-members.ts'
import { streamLayer } from '../../estargz/build/stream-layer.ts'
import {
  type AddedDirectory,
  findAddedDirectories,
  summarizeDirectories,
  withAddedDirectories,
} from '../../estargz/index/added-directories.ts'
import { ArchiveIndex } from '../../estargz/index/archive-index.ts'
import { readArchiveMetadata } from '../../estargz/index/archive-metadata.ts'
import { encodeIndex } from '../../estargz/index/index-codec.ts'
import { LayerIndex } from '../../estargz/index/layer-index.ts'
import type { LayerResult, LayerResults, LayerTask } from './layer-task.ts'

type TaskOf<Kind extends LayerTask['kind']> = LayerTask & { readonly kind: Kind }

/** The input and output of one task. */
export type TaskStreams = {
  readonly input: AsyncIterable<Uint8Array>
  readonly write: (bytes: Buffer) => Promise<void> | void
  /** Returns the directories to add to a streamed layer; called once, at the end of its archive. */
  readonly findAdded: (index: LayerIndex) => Promise<readonly AddedDirectory[]>
}

/**
 * Performs a task. Modules that conversions do not need are loaded on demand, because every thread holds its
 * own copy.
 * @throws LayerError; RecordError
 */
export async function performTask(task: LayerTask, streams: TaskStreams): Promise<LayerResult> {
  switch (task.kind) {
    case 'split':
      return split(task, streams)
    case 'stream':
      return stream(task, streams)
    case 'assemble':
      return assemble(task, streams)
    case 'verify':
      return verify(task, streams)
    case 'list':
      return list(task, streams)
    case 'directories': {
      const lower = task.lower.map((columns) => new ArchiveIndex(columns))
      return findAddedDirectories(new ArchiveIndex(task.own), lower)
    }
    case 'toc':
      return (await import('./toc-task.ts')).performTocTask(task)
    case 'apply':
      return (await import('./apply-task.ts')).performApplyTask(task)
    case 'compare':
      return compare(task)
  }
}

async function split(task: TaskOf<'split'>, { input, write }: TaskStreams): Promise<LayerResults['split']> {
  const coder = await openLayerCoder(input, task)
  // Which files share a member depends on their final order, which is unknown yet.
  const format = { ...task.format, minChunkSize: 0 }
  const index = await splitIntoMembers(coder, { format, limits: task.limits, write })
  return { index: index.data, compression: coder.choice() }
}

async function stream(
  task: TaskOf<'stream'>,
  { input, write, findAdded }: TaskStreams,
): Promise<LayerResults['stream']> {
  const { format, limits, keepIndex } = task
  const coder = await openLayerCoder(input, task)
  const blob = await streamLayer(coder, { format, limits, write, findAdded })
  return { ...describeBlob(blob, keepIndex), compression: coder.choice() }
}

async function assemble(task: TaskOf<'assemble'>, { write }: TaskStreams): Promise<LayerResults['assemble']> {
  const { format, limits, added } = task
  const index = new LayerIndex(task.index)
  const arrangement = arrangeEntries(withAddedDirectories(index, added), task.prioritized)
  const members = openSync(task.membersPath, 'r')
  try {
    const blob = await assembleBlob({
      format,
      index,
      added,
      arrangement,
      read: (into, start) => readFully(members, into, start),
      compressor: createMemberCompressor(format, task.compression),
      write,
      limits,
    })
    return describeBlob(blob, task.keepIndex)
  } finally {
    closeSync(members)
  }
}

async function verify(task: TaskOf<'verify'>, { input }: TaskStreams): Promise<LayerResults['verify']> {
  const { verifyEStargzBlob } = await import('../../estargz/verify/verify-blob.ts')
  const { metadata, ...verified } = await verifyEStargzBlob(input, {
    limits: task.limits,
    ...task.expected,
    ...(task.externalToc !== undefined && { externalToc: asBuffer(task.externalToc) }),
  })
  return { ...verified, ...(task.returnMetadata && { metadata }) }
}

async function list({ limits }: TaskOf<'list'>, { input }: TaskStreams): Promise<LayerResults['list']> {
  let uncompressedBytes = 0
  const archive = async function* () {
    for await (const bytes of decodeLayer(input, { limits })) {
      uncompressedBytes += bytes.length
      yield bytes
    }
  }
  const metadata = await readArchiveMetadata(archive(), limits)
  return { ...metadata, uncompressedBytes }
}

async function compare({ limits, source, converted }: TaskOf<'compare'>): Promise<LayerResults['compare']> {
  const { compareTrees } = await import('../../estargz/verify/compare-trees.ts')
  const { RootfsTree } = await import('../../estargz/verify/rootfs-tree.ts')
  const pulled = new RootfsTree(source, 'pulled', limits)
  const lazy = new RootfsTree(converted, 'lazy', limits)
  const differences = compareTrees(pulled, lazy)
  pulled.release()
  lazy.release()
  return differences
}

function describeBlob({ index, ...blob }: IndexedBlob, keepIndex: boolean): LayerResults['assemble'] {
  const { sourceDiffId } = index.data
  const written = { ...blob, ...summarizeDirectories(index), sourceDiffId }
  return keepIndex ? { ...written, encodedIndex: encodeIndex(index) } : written
}

/** Fills `into` from the offset `start` of a file. @throws RangeError if the file is too short */
function readFully(file: number, into: Buffer, start: number): void {
  for (let filled = 0; filled < into.length; ) {
    const read = readSync(file, into, filled, into.length - filled, start + filled)
    if (read === 0) {
      throw new RangeError(
        `the file of members has ${start + filled} bytes, fewer than ${start + into.length}`,
      )
    }
    filled += read
  }
}
