import { AsyncLocalStorage } from 'node:async_hooks'
import type { Worker } from 'node:worker_threads'
import { unlessAborted } from '../../concurrency/abort.ts'
import { currentMovement, excusedWait } from '../../concurrency/stall-watch.ts'
import type { AddedDirectory } from '../../estargz/index/added-directories.ts'
import { RecordError } from '../../records/errors.ts'
import { LayerError } from '../../tar/errors.ts'
import { ConversionError } from '../errors.ts'
import type {
  FromThread,
  LayerFailure,
  LayerTask,
  ScannedLayer,
  SharedMemory,
  ToThread,
} from './layer-task.ts'
import { bytesOf, type Piece, PieceSender } from './shared-pieces.ts'
import { type LayerThread, THREAD_MEMORY_SETTING } from './start-thread.ts'

export type RunOptions = {
  /** Opens the bytes that the task reads, once a thread is free for it. */
  readonly input?: () => Promise<AsyncIterable<Uint8Array>>
  /**
   * Takes the bytes that the task writes, in order, and has to be done with them when it is: their memory is used again.
   * Awaited, so that a slow taker slows the task down.
   */
  readonly write?: (bytes: Buffer) => Promise<void> | void
  /** Of a layer that is streamed: the directories that it gets. */
  readonly added?: AddedSource
  readonly signal?: AbortSignal | undefined
}

/** Says what directories a layer gets that is streamed: what the layers below know, which may be under way themselves. */
export type AddedSource = {
  /** When the layers below are known. */
  readonly ready: () => Promise<void>
  /** Asked once at the end of the archive. The layer's thread has no slot while it waits for a promise. */
  readonly of: (layer: ScannedLayer) => readonly AddedDirectory[] | Promise<readonly AddedDirectory[]>
}

/** Waits for something with no slot. */
export type Park = <Result>(wait: Promise<Result>) => Promise<Result>

/** One task on one thread. */
export class RunningTask {
  readonly #worker: Worker
  readonly #shared: SharedMemory
  readonly #options: RunOptions
  readonly #memory: number
  readonly #input: PieceSender
  readonly #park: Park
  readonly #ended = Promise.withResolvers<unknown>()
  /** The messages of a thread come outside of the task's context. */
  readonly #moved = currentMovement()
  readonly #inContext = AsyncLocalStorage.snapshot()
  #writing: Promise<void> = Promise.resolve()

  constructor({ worker, shared }: LayerThread, options: RunOptions, memory: number, park: Park) {
    this.#worker = worker
    this.#shared = shared
    this.#options = options
    this.#memory = memory
    this.#park = park
    this.#input = new PieceSender(shared.input, (piece) => this.#send({ kind: 'input', ...piece }))
  }

  async run(task: LayerTask): Promise<unknown> {
    const { signal } = this.#options
    const fail = (error: unknown) => this.#ended.reject(error)
    const died = (error: unknown) => fail(this.#deathOf(error))
    const exited = (status: number) => died(new Error(`it ended with status ${status}`))
    const aborted = () => fail(signal?.reason)
    this.#worker.on('message', this.#receive).on('error', died).on('exit', exited)
    signal?.addEventListener('abort', aborted)
    try {
      this.#send({ kind: 'task', task })
      if (this.#options.input) this.#feed(this.#options.input).catch(fail)
      const result = await this.#ended.promise
      await unlessAborted(this.#writing, signal)
      return result
    } finally {
      this.#worker.off('message', this.#receive).off('error', died).off('exit', exited)
      signal?.removeEventListener('abort', aborted)
    }
  }

  #deathOf(cause: unknown): ConversionError {
    if ((cause as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY') {
      const message = `a layer takes too much memory: ${THREAD_MEMORY_SETTING} allows ${this.#memory} bytes`
      return new ConversionError('LAYER_THREAD_MEMORY', message, { cause })
    }
    return new ConversionError('LAYER_THREAD_DIED', 'the thread of a layer died', { cause })
  }

  /** Sends the input. When the task ends before its input does, the input is closed. */
  async #feed(open: () => Promise<AsyncIterable<Uint8Array>>): Promise<void> {
    const source = (await open())[Symbol.asyncIterator]()
    let over = false
    const release = () => {
      if (!over) source.return?.().catch(() => {})
      over = true
      this.#input.close()
    }
    this.#ended.promise.then(release, release)
    while (!over) {
      const next = await source.next()
      if (over) return
      if (!next.done) await this.#input.write(next.value)
      else {
        over = true
        this.#input.end()
        this.#send({ kind: 'input-end' })
      }
    }
  }

  readonly #receive = (message: FromThread): void => {
    this.#moved()
    if (message.kind === 'taken') this.#input.give(message.piece)
    else if (message.kind === 'output') this.#take(message)
    else if (message.kind === 'scanned')
      this.#inContext(() => this.#scanned(message.layer, message.isWaiting))
    else if (message.kind === 'done') this.#ended.resolve(message.result)
    else this.#ended.reject(errorOf(message.failure))
  }

  #scanned(layer: ScannedLayer, isWaiting: boolean): void {
    const answer = async () => {
      const added = this.#options.added?.of(layer) ?? []
      const ready =
        added instanceof Promise && isWaiting ? await excusedWait(() => this.#park(added)) : await added
      if (isWaiting) this.#send({ kind: 'added', added: ready })
    }
    answer().catch((error) => this.#ended.reject(error))
  }

  #take(piece: Piece): void {
    this.#writing = this.#writing.then(async () => {
      await this.#options.write?.(bytesOf(this.#shared.output, piece))
      this.#moved()
      this.#send({ kind: 'taken', piece: piece.piece })
    })
    this.#writing.catch((error) => this.#ended.reject(error))
  }

  #send(message: ToThread): void {
    this.#worker.postMessage(message)
  }
}

function errorOf({ message, stack, known }: LayerFailure): Error {
  const error =
    known?.kind === 'layer'
      ? new LayerError(known.code, message, known)
      : known?.kind === 'record'
        ? new RecordError(known.code, message)
        : new Error(message)
  if (stack !== undefined) error.stack = stack
  return error
}
