import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Semaphore } from '../concurrency/semaphore.ts'
import type { DiskSpace } from './disk-space.ts'
import { asStorageFullError } from './storage-full-error.ts'

/** Larger bodies are stored on disk. */
const MAX_BYTES_IN_MEMORY = 64 * 1024
/** Bodies on disk at a time; more wait for one of them to be disposed of. */
const MAX_FILES = 64
const MAX_WAIT_MS = 30_000
const BUSY_RETRY_MS = 5_000

/** All files of the spool stayed in use for too long. */
export class SpoolBusyError extends Error {
  override readonly name = 'SpoolBusyError'
  readonly code = 'UPLOADS_BUSY'
  readonly retryable = true
  readonly retryAfterMs = BUSY_RETRY_MS
  constructor() {
    super('too many large uploads are in progress; retry after the time in Retry-After')
  }
}

/** A body that was received completely. It can be read once, from the start. */
export type SpooledBody = AsyncIterable<Uint8Array> & AsyncDisposable

type SpoolOptions = {
  readonly diskSpace?: DiskSpace
  /** Bodies on disk at a time. */
  readonly maxFiles?: number
  /** How long a body waits for a free file. */
  readonly waitMs?: number
}

/**
 * Stores request bodies until they were received completely: small ones in memory, larger ones on disk.
 * Consumers of a body thus never wait for a slow sender.
 */
export class Spool {
  readonly #folder: string
  readonly #diskSpace: DiskSpace | undefined
  readonly #files: Semaphore
  readonly #waitMs: number

  constructor(folder: string, o: SpoolOptions = {}) {
    this.#folder = folder
    this.#diskSpace = o.diskSpace
    this.#files = new Semaphore(o.maxFiles ?? MAX_FILES)
    this.#waitMs = o.waitMs ?? MAX_WAIT_MS
  }

  /**
   * Stores a body as it arrives.
   * @param checkSize receives the number of bytes so far, and throws if there are too many
   * @throws SpoolBusyError UPLOADS_BUSY; StorageFullError STORAGE_FULL; what `checkSize` and the body throw;
   *   the signal's reason
   */
  async store(
    body: AsyncIterable<Uint8Array>,
    checkSize: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<SpooledBody> {
    const pieces: Uint8Array[] = []
    let bytes = 0
    let file: SpoolFile | undefined
    try {
      for await (const piece of body) {
        bytes += piece.length
        checkSize(bytes)
        if (file) await file.write(piece)
        else {
          pieces.push(piece)
          if (bytes <= MAX_BYTES_IN_MEMORY) continue
          file = await this.#createFile(signal)
          for (const stored of pieces.splice(0)) await file.write(stored)
        }
      }
      signal.throwIfAborted()
    } catch (error) {
      await file?.[Symbol.asyncDispose]()
      throw asStorageFullError(error, "the broker's disk")
    }
    return file ?? inMemory(pieces)
  }

  async #createFile(signal: AbortSignal): Promise<SpoolFile> {
    const timeout = AbortSignal.timeout(this.#waitMs)
    try {
      await this.#files.acquire(AbortSignal.any([signal, timeout]))
    } catch (error) {
      throw error === timeout.reason ? new SpoolBusyError() : error
    }
    try {
      await this.#diskSpace?.assertAvailable(MAX_BYTES_IN_MEMORY)
      await mkdir(this.#folder, { recursive: true })
      const path = join(this.#folder, randomUUID())
      const handle = await open(path, 'wx+')
      // The file exists until its handle is closed, also by the death of the process.
      await unlink(path)
      return new SpoolFile(handle, () => this.#files.release())
    } catch (error) {
      this.#files.release()
      throw error
    }
  }
}

class SpoolFile implements SpooledBody {
  readonly #handle: FileHandle
  readonly #onDispose: () => void
  #isOpen = true

  constructor(handle: FileHandle, onDispose: () => void) {
    this.#handle = handle
    this.#onDispose = onDispose
  }

  async write(piece: Uint8Array): Promise<void> {
    for (let offset = 0; offset < piece.length; ) {
      offset += (await this.#handle.write(piece, offset)).bytesWritten
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    yield* this.#handle.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Buffer>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#handle.close()
    this.#onDispose()
  }
}

function inMemory(pieces: readonly Uint8Array[]): SpooledBody {
  return {
    async *[Symbol.asyncIterator]() {
      yield* pieces
    },
    async [Symbol.asyncDispose]() {},
  }
}
