/**
 * The entry point of a layer thread: it performs one {@link LayerTask} at a time, on bytes that the pool
 * sends.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { type AddedDirectory, summarizeDirectories } from '../../estargz/index/added-directories.ts'
import { listingColumns } from '../../estargz/index/index-columns.ts'
import type { LayerIndex } from '../../estargz/index/layer-index.ts'
import type { LayerTask } from './layer-task.ts'
import { performTask } from './perform-task.ts'
import { serializeError } from './serialized-error.ts'
import { type Piece, PieceSender, viewPiece } from './shared-pieces.ts'
import type { PoolMessage, SharedMemory, ThreadMessage } from './thread-messages.ts'

if (!parentPort) throw new Error('only the thread pool can start a layer thread')
const port = parentPort
const shared = workerData as SharedMemory

/** The bytes of a layer as the pool sends them. A piece is valid until the next one is requested. */
class Input implements AsyncIterable<Uint8Array> {
  readonly #pieces: Piece[] = []
  #hasEnded = false
  #wake: (() => void) | undefined

  push(piece: Piece): void {
    this.#pieces.push(piece)
    this.#wake?.()
  }

  end(): void {
    this.#hasEnded = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#pieces.shift()
      if (piece) {
        yield viewPiece(shared.input, piece)
        send({ kind: 'input-released', index: piece.index })
      } else if (this.#hasEnded) return
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}

let input = new Input()
let output = createOutput()
/** Receives the directories to add to the layer that was scanned. */
let receiveDirectories: (directories: readonly AddedDirectory[]) => void = () => {}

function createOutput(): PieceSender {
  return new PieceSender(shared.output, (piece) => send({ kind: 'output', ...piece }))
}

port.on('message', (message: PoolMessage) => {
  if (message.kind === 'input') input.push(message)
  else if (message.kind === 'input-end') input.end()
  else if (message.kind === 'output-released') output.release(message.index)
  else if (message.kind === 'added-directories') receiveDirectories(message.directories)
  else void run(message.task)
})

async function run(task: LayerTask): Promise<void> {
  input = new Input()
  output = createOutput()
  try {
    const write = (bytes: Buffer) => output.write(bytes)
    const result = await performTask(task, { input, write, findAdded })
    output.flush()
    const index = 'encodedIndex' in result ? result.encodedIndex : undefined
    send({ kind: 'done', result }, index && [index.buffer as ArrayBuffer])
  } catch (error) {
    send({ kind: 'failed', error: serializeError(error) })
  }
}

/**
 * Reports the scanned layer. If directories are missing, waits for the pool, which knows the layers below.
 */
async function findAdded(index: LayerIndex): Promise<readonly AddedDirectory[]> {
  const received = new Promise<readonly AddedDirectory[]>((resolve) => {
    receiveDirectories = resolve
  })
  const isWaiting = index.missingDirectories.length > 0
  const layer = { ...summarizeDirectories(index), columns: listingColumns(index.columns) }
  send({ kind: 'scanned', layer, isWaiting })
  return isWaiting ? received : []
}

/** @param transfer memory to move to the pool instead of copying it */
function send(message: ThreadMessage, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}
