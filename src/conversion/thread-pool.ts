import { Worker } from 'node:worker_threads'
import { unlessAborted } from '../concurrency/abort.ts'
import { Semaphore } from '../concurrency/semaphore.ts'
import { currentMovement, excusedWait } from '../concurrency/stall-watch.ts'
import { RecordError } from '../records/errors.ts'
import { LayerError } from '../tar/errors.ts'
import { ConversionError } from './errors.ts'
import type {
  FromThread,
  LayerFailure,
  LayerResults,
  LayerTask,
  SharedMemory,
  ToThread,
} from './layer-task.ts'
import { bytesOf, type Piece, PieceSender, sharedPieces } from './shared-pieces.ts'

export type RunOptions = {
  /** Opens the bytes that the task reads, once a thread is free for it. */
  readonly input?: () => Promise<AsyncIterable<Uint8Array>>
  /**
   * Takes the bytes that the task writes, in order, and has to be done with them when it is: their memory is used again.
   * Awaited, so that a slow taker slows the task down.
   */
  readonly write?: (bytes: Buffer) => Promise<void> | void
  readonly signal?: AbortSignal | undefined
}

/**
 * Bytes of heap that a thread may have, unless told otherwise. What is kept of a layer's entries and the window of zstd lie
 * beside it, and have bounds of their own.
 */
export const DEFAULT_THREAD_MEMORY = 2 ** 29
export const THREAD_MEMORY_SETTING = 'RECORD_BROKER_THREAD_MEMORY'

/**
 * Threads that work on layers, a layer each. Threads get bytes and settings, never credentials. One that failed or
 * was stopped is ended, so that no task meets what another left.
 */
export class ThreadPool implements AsyncDisposable {
  readonly #idle: LayerThread[] = []
  readonly #slots: Semaphore
  readonly #memory: number

  /**
   * @param size threads at the same time; they are started when they are needed
   * @param memory of the heap of each, in bytes
   */
  constructor(size: number, memory = DEFAULT_THREAD_MEMORY) {
    this.#slots = new Semaphore(size)
    this.#memory = memory
  }

  /**
   * Does a task on a free thread, after those that waited before it.
   * @throws LayerError; RecordError; ConversionError LAYER_THREAD_DIED, LAYER_THREAD_MEMORY; errors of input and write, and
   *   the signal's reason, unchanged
   */
  async run<Kind extends LayerTask['kind']>(
    task: LayerTask & { readonly kind: Kind },
    options: RunOptions = {},
  ): Promise<LayerResults[Kind]> {
    const { signal } = options
    await excusedWait(() => this.#slots.acquire(signal))
    try {
      signal?.throwIfAborted()
      const thread = this.#idleThread() ?? startThread(this.#memory)
      try {
        const result = await new RunningTask(thread, options, this.#memory).run(task)
        this.#idle.push(thread)
        return result as LayerResults[Kind]
      } catch (error) {
        await thread.worker.terminate()
        throw error
      }
    } finally {
      this.#slots.release()
    }
  }

  /** One that waits for a task, those that died meanwhile left out. */
  #idleThread(): LayerThread | undefined {
    for (let thread = this.#idle.pop(); thread; thread = this.#idle.pop()) if (thread.isAlive) return thread
    return undefined
  }

  /** Ends the idle threads; call it when every run has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(({ worker }) => worker.terminate()))
  }
}

/** A thread, and the memory that it shares with the pool. */
type LayerThread = { readonly worker: Worker; readonly shared: SharedMemory; isAlive: boolean }

/** Most of what a thread makes is gone at once: larger young generations would only hold memory. */
const YOUNG_GENERATION_MB = 8
const MIB = 2 ** 20

/** @throws ConversionError LAYER_THREAD_DIED where the system has no room for another thread */
function startThread(memory: number): LayerThread {
  const shared = { input: sharedPieces(), output: sharedPieces() }
  const thread: LayerThread = { worker: newWorker(shared, memory), shared, isAlive: true }
  // A thread may also die while it has nothing to do: without a listener its error would end the process.
  const over = () => {
    thread.isAlive = false
  }
  thread.worker.on('error', over).on('exit', over)
  return thread
}

function newWorker(shared: SharedMemory, memory: number): Worker {
  try {
    return new Worker(new URL('./layer-thread.ts', import.meta.url), {
      workerData: shared,
      resourceLimits: {
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
        maxOldGenerationSizeMb: Math.ceil(memory / MIB),
      },
    })
  } catch (cause) {
    throw new ConversionError('LAYER_THREAD_DIED', 'no thread could be started for a layer', { cause })
  }
}

/** One task on one thread. */
class RunningTask {
  readonly #worker: Worker
  readonly #shared: SharedMemory
  readonly #options: RunOptions
  readonly #memory: number
  readonly #input: PieceSender
  readonly #ended = Promise.withResolvers<unknown>()
  /** The messages of a thread come outside of the task's context. */
  readonly #moved = currentMovement()
  #writing: Promise<void> = Promise.resolve()

  constructor({ worker, shared }: LayerThread, options: RunOptions, memory: number) {
    this.#worker = worker
    this.#shared = shared
    this.#options = options
    this.#memory = memory
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
    else if (message.kind === 'done') this.#ended.resolve(message.result)
    else this.#ended.reject(errorOf(message.failure))
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
