import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pause } from '../concurrency/abort.ts'
import { excusedWait } from '../concurrency/stall-watch.ts'
import { DiskRoom } from './disk-room.ts'
import { asStorageFull, StorageFullError } from './storage-full.ts'

/** What is gathered before it is written. */
const WRITE_BYTES = 512 * 1024
/** How many bytes are written between two looks at the room that is left. */
const LOOK_EVERY_BYTES = 16 * 1024 * 1024
/** How often a full disk is tried again, and for how long: others may give back what they hold. */
const TRY_EVERY_MS = 1_000
const TRY_FOR_MS = 60_000

const OF_PROCESS = /^process-(\d+)$/

/**
 * A folder inside `parent` for the scratch folders of this process. What processes left there that were killed is
 * removed first.
 */
export async function claimScratchFolder(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true })
  for (const name of await readdir(parent)) {
    const pid = Number(OF_PROCESS.exec(name)?.[1])
    if (pid === process.pid || (pid > 0 && !isRunning(pid))) {
      await rm(join(parent, name), { recursive: true, force: true })
    }
  }
  const own = join(parent, `process-${process.pid}`)
  await mkdir(own)
  return own
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * A folder for bytes that must wait on disk, with one budget for all of it. It goes with everything in
 * it when disposed of, on every exit.
 */
export class Scratch implements AsyncDisposable {
  readonly folder: string
  readonly #limit: number
  readonly #room: DiskRoom
  readonly #tryForMs: number
  readonly #signal: AbortSignal | undefined
  readonly #open = new Set<ScratchFile>()
  #used = 0
  #files = 0
  #written = 0

  private constructor(folder: string, terms: ScratchTerms) {
    this.folder = folder
    this.#limit = terms.limit
    this.#room = terms.room ?? new DiskRoom(folder, 0)
    this.#tryForMs = terms.tryForMs ?? TRY_FOR_MS
    this.#signal = terms.signal
  }

  /** Makes a new folder inside `parent` (made when missing). */
  static async open(parent: string, terms: ScratchTerms): Promise<Scratch> {
    await mkdir(parent, { recursive: true })
    return new Scratch(await mkdtemp(join(parent, 'scratch-')), terms)
  }

  /**
   * Makes sure, before work begins, that so many bytes more will fit: into the budget and onto the disk, for whose room it
   * waits a while.
   * @throws ScratchFullError; StorageFullError; the signal's reason
   */
  async expect(bytes: number): Promise<void> {
    if (this.#used + bytes > this.#limit) {
      throw new ScratchFullError(
        `${bytes} bytes wanted, ${this.#limit - this.#used} left; raise RECORD_BROKER_SCRATCH_LIMIT`,
      )
    }
    await this.#whenThereIsRoom(() => this.#room.check(bytes))
  }

  /** A new file, which only grows. The caller closes it when its bytes are not needed any more. */
  async file(): Promise<ScratchFile> {
    const path = join(this.folder, String(this.#files++))
    const handle = await this.#whenThereIsRoom(() => open(path, 'wx', 0o600))
    const file = new ScratchFile(path, handle, {
      take: (bytes) => this.#take(bytes),
      give: (bytes) => {
        this.#used -= bytes
      },
      write: (act) => this.#whenThereIsRoom(act),
      closed: () => void this.#open.delete(file),
    })
    this.#open.add(file)
    return file
  }

  async #take(bytes: number): Promise<void> {
    if (this.#used + bytes > this.#limit) {
      throw new ScratchFullError(`all ${this.#limit} bytes are used; raise RECORD_BROKER_SCRATCH_LIMIT`)
    }
    this.#used += bytes
    this.#written += bytes
    if (this.#written < LOOK_EVERY_BYTES) return
    this.#written = 0
    await this.#whenThereIsRoom(() => this.#room.check(bytes))
  }

  /** Acts, again and again while the disk is full, until it was for too long. */
  async #whenThereIsRoom<Result>(act: () => Promise<Result>): Promise<Result> {
    const giveUpAt = performance.now() + this.#tryForMs
    for (;;) {
      try {
        return await act()
      } catch (error) {
        const full = asStorageFull(error, "the broker's disk")
        if (!(full instanceof StorageFullError) || performance.now() >= giveUpAt) throw full
      }
      await excusedWait(() => pause(TRY_EVERY_MS, this.#signal))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open].map((file) => file.close()))
    await rm(this.folder, { recursive: true, force: true })
  }
}

export type ScratchTerms = {
  /** Bytes that it may hold. */
  readonly limit: number
  /** Of the disk; left out: no reserve is kept. */
  readonly room?: DiskRoom | undefined
  /** How long a full disk is waited for. */
  readonly tryForMs?: number
  /** Ends waits. */
  readonly signal?: AbortSignal | undefined
}

/** What a file asks of the {@link Scratch} that it belongs to. */
type ScratchOwner = {
  take(bytes: number): Promise<void>
  give(bytes: number): void
  write<Result>(act: () => Promise<Result>): Promise<Result>
  closed(): void
}

/** One file of a {@link Scratch}; closing it gives its bytes back. */
export class ScratchFile {
  readonly path: string
  readonly #handle: FileHandle
  readonly #owner: ScratchOwner
  #size = 0

  constructor(path: string, handle: FileHandle, owner: ScratchOwner) {
    this.path = path
    this.#handle = handle
    this.#owner = owner
  }

  /** Appends bytes; waits a while for room on the disk. @throws ScratchFullError; StorageFullError; the signal's reason */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#owner.take(bytes.length)
    const start = this.#size
    this.#size += bytes.length
    for (let at = 0; at < bytes.length; ) {
      // At a place of its own: a write that failed may have moved the file's.
      const write = () => this.#handle.write(bytes, at, bytes.length - at, start + at)
      at += (await this.#owner.write(write)).bytesWritten
    }
  }

  /** Appends bytes that come in small pieces, by fewer and larger writes. @throws as {@link write}; errors of the source */
  async writeAll(source: AsyncIterable<Uint8Array>): Promise<void> {
    const gathered = Buffer.allocUnsafe(WRITE_BYTES)
    let length = 0
    for await (const piece of source) {
      if (length + piece.length > WRITE_BYTES) {
        await this.write(gathered.subarray(0, length))
        length = 0
      }
      if (piece.length > WRITE_BYTES) await this.write(piece)
      else {
        gathered.set(piece, length)
        length += piece.length
      }
    }
    await this.write(gathered.subarray(0, length))
  }

  /** All bytes written so far, from the start. */
  read(): Readable {
    return createReadStream(this.path)
  }

  /** Removes the file. */
  async close(): Promise<void> {
    this.#owner.closed()
    await this.#handle.close()
    await rm(this.path, { force: true })
    this.#owner.give(this.#size)
    this.#size = 0
  }
}

/** The scratch budget is used up. */
export class ScratchFullError extends Error {
  override readonly name = 'ScratchFullError'
  readonly code = 'SCRATCH_FULL'
  constructor(why: string) {
    super(`scratch space is short: ${why}`)
  }
}
