/** The entry of a layer thread: does one {@link LayerTask} after the other on bytes that the pool sends. */
import { closeSync, openSync, readSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { asBuffer } from '../../compression/byte-source.ts'
import { decodeLayer } from '../../compression/decode.ts'
import { compressorFor, type LayerCoder, openLayerCoder } from '../../compression/layer-coder.ts'
import type { BlobFormat } from '../../estargz/blob-format.ts'
import { arrange } from '../../estargz/build/arrange.ts'
import { assembleBlob, type IndexedBlob, streamLayer } from '../../estargz/build/blob.ts'
import { splitLayer } from '../../estargz/build/split.ts'
import {
  type AddedDirectory,
  addedDirectories,
  summaryOf,
  withAdded,
} from '../../estargz/index/added-directories.ts'
import { ArchiveIndex, listingColumns } from '../../estargz/index/archive-index.ts'
import { encodeIndex } from '../../estargz/index/encoded-index.ts'
import { LayerIndex } from '../../estargz/index/layer-index.ts'
import { listTree } from '../../estargz/index/layer-tree.ts'
import { RecordError } from '../../records/errors.ts'
import { LayerError } from '../../tar/errors.ts'
import type {
  FromThread,
  LayerFailure,
  LayerResults,
  LayerTask,
  SharedMemory,
  ToThread,
} from './layer-task.ts'
import { bytesOf, type Piece, PieceSender } from './shared-pieces.ts'

if (!parentPort) throw new Error('a layer thread is started by the thread pool')
const port = parentPort
const shared = workerData as SharedMemory

/** The layer's bytes, as the pool sends them; a piece is valid until the next one is asked for. */
class Input implements AsyncIterable<Uint8Array> {
  readonly #pieces: Piece[] = []
  #ended = false
  #wake: (() => void) | undefined

  push(piece: Piece | undefined): void {
    if (piece) this.#pieces.push(piece)
    else this.#ended = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#pieces.shift()
      if (piece) {
        yield bytesOf(shared.input, piece)
        send({ kind: 'taken', piece: piece.piece })
      } else if (this.#ended) return
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}

let input = new Input()
/** Takes the directories that a layer gets which was scanned. */
let takeAdded: (added: readonly AddedDirectory[]) => void = () => {}
let output = newOutput()

/** Bytes on their way to the pool, no faster than it takes them. */
function newOutput(): PieceSender {
  return new PieceSender(shared.output, (piece) => send({ kind: 'output', ...piece }))
}

port.on('message', (message: ToThread) => {
  if (message.kind === 'input') input.push(message)
  else if (message.kind === 'input-end') input.push(undefined)
  else if (message.kind === 'taken') output.give(message.piece)
  else if (message.kind === 'added') takeAdded(message.added)
  else void run(message.task)
})

async function run(task: LayerTask): Promise<void> {
  input = new Input()
  output = newOutput()
  try {
    const result = await perform(task)
    output.end()
    const packedIndex = (result as { packedIndex?: Uint8Array<ArrayBuffer> }).packedIndex
    send({ kind: 'done', result }, packedIndex && [packedIndex.buffer])
  } catch (error) {
    send({ kind: 'failed', failure: failureOf(error) })
  }
}

async function perform(task: LayerTask): Promise<unknown> {
  if (task.kind === 'directories') {
    const lower = task.lower.map((columns) => new ArchiveIndex(columns))
    return addedDirectories(new ArchiveIndex(task.own), lower)
  }
  const { limits } = task
  const write = (bytes: Buffer) => output.write(bytes)
  switch (task.kind) {
    case 'split': {
      const { format, coder } = await open(task)
      // Members are shared, where they are, by the order that is not known yet.
      const index = await splitLayer(coder, { format: { ...format, minChunkSize: 0 }, limits, write })
      return { index: index.data, compression: coder.choice() }
    }
    case 'stream': {
      const { format, coder } = await open(task)
      const written = await streamLayer(coder, { format, limits, write, added: addedTo })
      return { ...packed(written, task.keepIndex), compression: coder.choice() }
    }
    case 'assemble': {
      const index = new LayerIndex(task.index)
      const arrangement = arrange(withAdded(index, task.added), task.prioritized)
      const members = openSync(task.members, 'r')
      try {
        const written = await assembleBlob({
          format: task.format,
          index,
          added: task.added,
          arrangement,
          read: (into, start) => readInto(members, into, start),
          compressor: compressorFor(task.format, task.compression),
          write,
          limits,
        })
        return packed(written, task.keepIndex)
      } finally {
        closeSync(members)
      }
    }
    case 'verify': {
      // It parses, with zod, which a thread that converts need not hold.
      const { verifyEStargzBlob } = await import('../../estargz/verify/verify.ts')
      const { tree, ...verified } = await verifyEStargzBlob(input, {
        limits,
        ...task.promised,
        ...(task.externalToc !== undefined && { externalToc: asBuffer(task.externalToc) }),
      })
      return { ...verified, ...(task.keepTree && { tree }) }
    }
    case 'list': {
      let plainBytes = 0
      const plain = async function* () {
        for await (const bytes of decodeLayer(input, { limits })) {
          plainBytes += bytes.length
          yield bytes
        }
      }
      const tree = await listTree(plain(), limits)
      return { ...tree, plainBytes }
    }
    // What converts layers needs none of what these load.
    case 'toc':
      return (await import('./toc-task.ts')).runTocTask(task)
    case 'apply':
      return (await import('./apply-task.ts')).applyTask(task)
    case 'compare': {
      const { compareTrees } = await import('../../estargz/verify/compare.ts')
      const { RootTree } = await import('../../estargz/verify/root-tree.ts')
      const first = new RootTree(task.source, 'pulled', limits)
      const second = new RootTree(task.converted, 'lazy', limits)
      const differences = compareTrees(first, second)
      first.release()
      second.release()
      return differences
    }
  }
}

async function open(
  task: LayerTask & { kind: 'split' | 'stream' },
): Promise<{ format: BlobFormat; coder: LayerCoder }> {
  return { format: task.format, coder: await openLayerCoder(input, task) }
}

/** Tells what was scanned, and waits for what is added where something is missing: the layers below know of that. */
async function addedTo(index: LayerIndex): Promise<readonly AddedDirectory[]> {
  const added = new Promise<readonly AddedDirectory[]>((resolve) => {
    takeAdded = resolve
  })
  const isWaiting = index.missing.length > 0
  const layer = { ...summaryOf(index), columns: listingColumns(index.columns) }
  send({ kind: 'scanned', layer, isWaiting })
  return isWaiting ? added : []
}

/** What was written, with its index packed where that is kept. */
function packed({ index, ...result }: IndexedBlob, keepIndex: boolean): LayerResults['assemble'] {
  const { sourceDiffId } = index.data
  const written = { ...result, ...summaryOf(index), sourceDiffId }
  if (!keepIndex) return written
  return { ...written, packedIndex: encodeIndex(index) }
}

/** @throws RangeError when the file ends before */
function readInto(file: number, into: Buffer, start: number): void {
  for (let at = 0; at < into.length; ) {
    const read = readSync(file, into, at, into.length - at, start + at)
    if (read === 0)
      throw new RangeError(`a file of members ends at ${start + at}, before ${start + into.length}`)
    at += read
  }
}

/** @param given memory that is handed over, not copied */
function send(message: FromThread, given: ArrayBuffer[] = []): void {
  port.postMessage(message, given)
}

function failureOf(error: unknown): LayerFailure {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined, known: undefined }
  return { message: error.message, stack: error.stack, known: knownError(error) }
}

function knownError(error: Error): LayerFailure['known'] {
  if (error instanceof RecordError) return { kind: 'record', code: error.code }
  if (!(error instanceof LayerError)) return undefined
  const { code, entry, offset } = error
  return {
    kind: 'layer',
    code,
    ...(entry !== undefined && { entry }),
    ...(offset !== undefined && { offset }),
  }
}
