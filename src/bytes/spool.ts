import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Semaphore } from '../concurrency/semaphore.ts'
import type { DiskRoom } from './disk-room.ts'
import { asStorageFull } from './storage-full.ts'

/** What comes slowly and is small waits in memory. */
const MAX_IN_MEMORY = 64 * 1024
/** Bodies that wait on disk at a time; others wait for one of them. */
const MAX_ON_DISK = 64
const MAX_WAIT_MS = 30_000
const BUSY_RETRY_MS = 5_000

/** So many large bodies come at the moment that no other is taken. */
export class SpoolBusy extends Error {
  override readonly name = 'SpoolBusy'
  readonly code = 'UPLOADS_BUSY'
  readonly retryable = true
  readonly retryAfterMs = BUSY_RETRY_MS
  constructor() {
    super('many large uploads come at the moment; send it again in a while')
  }
}

/** Bytes that have come whole. They are read once, from the beginning. */
export type Spooled = AsyncIterable<Uint8Array> & AsyncDisposable

/**
 * Where bodies wait until they have come whole: in memory, or on disk when they are larger. So whoever works on them never
 * waits for a slow sender.
 */
export class Spool {
  readonly #folder: string
  readonly #room: DiskRoom | undefined
  readonly #places: Semaphore
  readonly #waitMs: number

  /** @param o.places on disk @param o.waitMs for one of them */
  constructor(folder: string, o: { room?: DiskRoom; places?: number; waitMs?: number } = {}) {
    this.#folder = folder
    this.#room = o.room
    this.#places = new Semaphore(o.places ?? MAX_ON_DISK)
    this.#waitMs = o.waitMs ?? MAX_WAIT_MS
  }

  /**
   * Takes a body as it comes.
   * @param check is told of the bytes so far, and throws when they are too many
   * @throws SpoolBusy; StorageFullError; what `check` and the body throw; the signal's reason
   */
  async take(
    body: AsyncIterable<Uint8Array>,
    check: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<Spooled> {
    const pieces: Uint8Array[] = []
    let bytes = 0
    let disk: SpoolFile | undefined
    try {
      for await (const piece of body) {
        bytes += piece.length
        check(bytes)
        if (disk) await disk.write(piece)
        else {
          pieces.push(piece)
          if (bytes <= MAX_IN_MEMORY) continue
          disk = await this.#open(signal)
          for (const one of pieces.splice(0)) await disk.write(one)
        }
      }
      signal.throwIfAborted()
    } catch (error) {
      await disk?.[Symbol.asyncDispose]()
      throw asStorageFull(error, "the broker's disk")
    }
    return disk ?? inMemory(pieces)
  }

  async #open(signal: AbortSignal): Promise<SpoolFile> {
    const patience = AbortSignal.timeout(this.#waitMs)
    try {
      await this.#places.acquire(AbortSignal.any([signal, patience]))
    } catch (error) {
      throw error === patience.reason ? new SpoolBusy() : error
    }
    try {
      await this.#room?.check(MAX_IN_MEMORY)
      await mkdir(this.#folder, { recursive: true })
      const path = join(this.#folder, randomUUID())
      const file = await open(path, 'wx+')
      // It goes with its handle, also when the process is killed.
      await unlink(path)
      return new SpoolFile(file, () => this.#places.release())
    } catch (error) {
      this.#places.release()
      throw error
    }
  }
}

class SpoolFile implements Spooled {
  readonly #file: FileHandle
  readonly #release: () => void
  #isOpen = true

  constructor(file: FileHandle, release: () => void) {
    this.#file = file
    this.#release = release
  }

  async write(piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length; ) at += (await this.#file.write(piece, at)).bytesWritten
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    yield* this.#file.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Buffer>
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#file.close()
    this.#release()
  }
}

function inMemory(pieces: readonly Uint8Array[]): Spooled {
  return {
    async *[Symbol.asyncIterator]() {
      yield* pieces
    },
    async [Symbol.asyncDispose]() {},
  }
}
