import { AsyncLocalStorage } from 'node:async_hooks'
import { raceAbort } from '../../concurrency/abort.ts'
import { pauseStallWatch, progressRecorder } from '../../concurrency/stall-watch.ts'
import type { AddedDirectory } from '../../estargz/index/added-directories.ts'
import { ConversionError } from '../errors.ts'
import type { LayerResult, LayerTask, ScannedLayer } from './layer-task.ts'
import { deserializeError } from './serialized-error.ts'
import { type Piece, PieceSender, viewPiece } from './shared-pieces.ts'
import { type LayerThread, THREAD_MEMORY_SETTING } from './start-thread.ts'
import type { PoolMessage, ThreadMessage } from './thread-messages.ts'

export type TaskOptions = {
  /** Opens the input of the task; called once a thread is free. */
  readonly input?: () => Promise<AsyncIterable<Uint8Array>>
  /**
   * Receives the output of the task in order. The bytes are valid until it returns, or until the returned
   * promise resolves, which also limits the speed of the task.
   */
  readonly write?: (bytes: Buffer) => Promise<void> | void
  /** Provides the directories to add to a streamed layer. */
  readonly directories?: DirectoryProvider
  readonly signal?: AbortSignal | undefined
}

/**
 * Provides the directories to add to a streamed layer, from the layers below, which may be in progress
 * themselves.
 */
export type DirectoryProvider = {
  /** Resolves when the layers below have been scanned. */
  readonly whenReady: () => Promise<void>
  /**
   * Called once, at the end of the archive. The thread holds no permit while it waits for the returned
   * promise.
   */
  readonly find: (layer: ScannedLayer) => readonly AddedDirectory[] | Promise<readonly AddedDirectory[]>
}

/** Awaits a promise without holding a permit of the pool. */
export type AwaitWithoutPermit = <Result>(promise: Promise<Result>) => Promise<Result>

/** One task on one thread. */
export class RunningTask {
  readonly #thread: LayerThread
  readonly #options: TaskOptions
  readonly #awaitWithoutPermit: AwaitWithoutPermit
  readonly #input: PieceSender
  readonly #result = Promise.withResolvers<LayerResult>()
  // The messages of a worker arrive outside the async context of the task.
  readonly #recordProgress = progressRecorder()
  readonly #runInContext = AsyncLocalStorage.snapshot()
  #writing: Promise<void> = Promise.resolve()

  constructor(thread: LayerThread, options: TaskOptions, awaitWithoutPermit: AwaitWithoutPermit) {
    this.#thread = thread
    this.#options = options
    this.#awaitWithoutPermit = awaitWithoutPermit
    this.#input = new PieceSender(thread.shared.input, (piece) => this.#send({ kind: 'input', ...piece }))
  }

  async run(task: LayerTask): Promise<LayerResult> {
    const { signal, input } = this.#options
    const { worker } = this.#thread
    const onError = (error: unknown) => this.#result.reject(this.#threadError(error))
    const onExit = (status: number) => onError(new Error(`the thread exited with status ${status}`))
    const onAbort = () => this.#result.reject(signal?.reason)
    worker.on('message', this.#receive).on('error', onError).on('exit', onExit)
    signal?.addEventListener('abort', onAbort)
    try {
      this.#send({ kind: 'task', task })
      if (input) this.#feed(input).catch((error) => this.#result.reject(error))
      const result = await this.#result.promise
      await raceAbort(this.#writing, signal)
      return result
    } finally {
      worker.off('message', this.#receive).off('error', onError).off('exit', onExit)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #threadError(cause: unknown): ConversionError {
    if ((cause as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY') {
      const message = `a layer needs too much memory; raise ${THREAD_MEMORY_SETTING}, which allows ${this.#thread.memoryBytes} bytes`
      return new ConversionError('LAYER_THREAD_MEMORY', message, { cause })
    }
    return new ConversionError('LAYER_THREAD_DIED', 'the thread that processed a layer died', { cause })
  }

  /** Sends the input, and closes it if the task ends first. */
  async #feed(open: () => Promise<AsyncIterable<Uint8Array>>): Promise<void> {
    const source = (await open())[Symbol.asyncIterator]()
    let isOver = false
    const stop = () => {
      if (!isOver) source.return?.().catch(() => {})
      isOver = true
      this.#input.close()
    }
    this.#result.promise.then(stop, stop)
    while (!isOver) {
      const next = await source.next()
      if (isOver) return
      if (!next.done) await this.#input.write(next.value)
      else {
        isOver = true
        this.#input.flush()
        this.#send({ kind: 'input-end' })
      }
    }
  }

  readonly #receive = (message: ThreadMessage): void => {
    this.#recordProgress()
    if (message.kind === 'input-released') this.#input.release(message.index)
    else if (message.kind === 'output') this.#write(message)
    else if (message.kind === 'scanned') {
      const { layer, isWaiting } = message
      this.#runInContext(() => this.#addDirectories(layer, isWaiting)).catch((error) =>
        this.#result.reject(error),
      )
    } else if (message.kind === 'done') this.#result.resolve(message.result)
    else this.#result.reject(deserializeError(message.error))
  }

  async #addDirectories(layer: ScannedLayer, isWaiting: boolean): Promise<void> {
    const added = this.#options.directories?.find(layer) ?? []
    const directories =
      added instanceof Promise && isWaiting
        ? await pauseStallWatch(() => this.#awaitWithoutPermit(added))
        : await added
    if (isWaiting) this.#send({ kind: 'added-directories', directories })
  }

  #write(piece: Piece): void {
    this.#writing = this.#writing.then(async () => {
      await this.#options.write?.(viewPiece(this.#thread.shared.output, piece))
      this.#recordProgress()
      this.#send({ kind: 'output-released', index: piece.index })
    })
    this.#writing.catch((error) => this.#result.reject(error))
  }

  #send(message: PoolMessage): void {
    this.#thread.worker.postMessage(message)
  }
}
