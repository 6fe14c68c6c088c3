/** The entry of a layer thread: does one {@link LayerTask} after the other on bytes that the pool sends. */
import { createReadStream } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { arrange } from '../estargz/arrange.ts'
import { assembleBlob, streamLayer } from '../estargz/blob.ts'
import { decodeLayer } from '../estargz/decode.ts'
import type { CompressionChoice } from '../estargz/deflate/tuner.ts'
import { LayerError } from '../estargz/errors.ts'
import { compressorFor, type LayerCoder, openLayerCoder } from '../estargz/layer-coder.ts'
import { splitLayer } from '../estargz/split.ts'
import { listTree } from '../estargz/tree.ts'
import { verifyEStargzBlob } from '../estargz/verify.ts'
import {
  type FromThread,
  type LayerFailure,
  type LayerTask,
  PIECE_BYTES,
  type SharedMemory,
  type ToThread,
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
let output = newOutput()

/** Bytes on their way to the pool, no faster than it takes them. */
function newOutput(): PieceSender {
  return new PieceSender(shared.output, (piece) => send({ kind: 'output', ...piece }))
}

port.on('message', (message: ToThread) => {
  if (message.kind === 'input') input.push(message)
  else if (message.kind === 'input-end') input.push(undefined)
  else if (message.kind === 'taken') output.give(message.piece)
  else void run(message.task)
})

async function run(task: LayerTask): Promise<void> {
  input = new Input()
  output = newOutput()
  try {
    const result = await perform(task)
    output.end()
    send({ kind: 'done', result })
  } catch (error) {
    send({ kind: 'failed', failure: failureOf(error) })
  }
}

async function perform(task: LayerTask): Promise<unknown> {
  const { limits } = task
  const write = (bytes: Buffer) => output.write(bytes)
  switch (task.kind) {
    case 'split':
      return splitting(task, (coder) => splitLayer(coder, { limits, write }))
    case 'stream':
      return splitting(task, (coder) => streamLayer(coder, { limits, write }))
    case 'assemble':
      return assembleBlob({
        index: task.index,
        arrangement: arrange(task.index, task.prioritized),
        read: (start, end) => readRange(task.members, start, end),
        compressor: compressorFor(task.compression),
        write,
        limits,
      })
    case 'verify':
      return verifyEStargzBlob(input, {
        limits,
        ...(task.tocDigest !== undefined && { tocDigest: task.tocDigest }),
        ...(task.diffId !== undefined && { diffId: task.diffId }),
      })
    case 'list':
      return listTree(decodeLayer(input, { limits }), limits)
  }
}

/** Reads the layer for an act, and adds to its result what was done with the content. */
async function splitting<Result extends object>(
  { compression, limits }: LayerTask & { kind: 'split' | 'stream' },
  act: (coder: LayerCoder) => Promise<Result>,
): Promise<Result & { compression: CompressionChoice }> {
  const coder = await openLayerCoder(input, { compression, limits })
  return { ...(await act(coder)), compression: coder.choice() }
}

/** The `end` of a file stream is the last byte, not the one after it. */
function readRange(path: string, start: number, end: number): AsyncIterable<Buffer> {
  return createReadStream(path, { start, end: end - 1, highWaterMark: PIECE_BYTES })
}

function send(message: FromThread): void {
  port.postMessage(message)
}

function failureOf(error: unknown): LayerFailure {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined, layer: undefined }
  const layer =
    error instanceof LayerError
      ? {
          code: error.code,
          ...(error.entry !== undefined && { entry: error.entry }),
          ...(error.offset !== undefined && { offset: error.offset }),
        }
      : undefined
  return { message: error.message, stack: error.stack, layer }
}
