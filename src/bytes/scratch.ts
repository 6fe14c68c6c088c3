import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { sleep } from '../concurrency/abort.ts'
import { pauseStallWatch } from '../concurrency/stall-watch.ts'
import { DiskSpace } from './disk-space.ts'
import { asStorageFullError, StorageFullError } from './storage-full-error.ts'

/** Small pieces are collected up to this size before they are written. */
const WRITE_BYTES = 512 * 1024
/** The number of bytes written between two checks of the free disk space. */
const DISK_CHECK_INTERVAL_BYTES = 16 * 1024 * 1024
/**
 * How often an operation on a full disk is retried, and for how long: other processes may free space
 * meanwhile.
 */
const DISK_FULL_RETRY_MS = 1_000
const DISK_FULL_TIMEOUT_MS = 60_000

const PROCESS_FOLDER = /^process-(\d+)$/

/**
 * Creates a folder inside `parent` for the scratch folders of this process. First removes what killed
 * processes left in `parent`.
 */
export async function claimScratchFolder(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true })
  for (const name of await readdir(parent)) {
    const pid = Number(PROCESS_FOLDER.exec(name)?.[1])
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
 * A folder for temporary files, with one budget for all of them. Disposing of it removes the folder and its
 * files.
 */
export class Scratch implements AsyncDisposable {
  readonly folder: string
  readonly #limitBytes: number
  readonly #diskSpace: DiskSpace
  readonly #diskFullTimeoutMs: number
  readonly #signal: AbortSignal | undefined
  readonly #usage: ScratchUsage | undefined
  readonly #openFiles = new Set<ScratchFile>()
  #usedBytes = 0
  #fileCount = 0
  #bytesSinceDiskCheck = 0

  private constructor(folder: string, options: ScratchOptions) {
    this.folder = folder
    this.#limitBytes = options.limitBytes
    this.#diskSpace = options.diskSpace ?? new DiskSpace(folder, 0)
    this.#diskFullTimeoutMs = options.diskFullTimeoutMs ?? DISK_FULL_TIMEOUT_MS
    this.#signal = options.signal
    this.#usage = options.usage
  }

  /** Creates a new folder inside `parent`, which is created if it does not exist. */
  static async open(parent: string, options: ScratchOptions): Promise<Scratch> {
    await mkdir(parent, { recursive: true })
    return new Scratch(await mkdtemp(join(parent, 'scratch-')), options)
  }

  /**
   * Checks, before work starts, that so many more bytes fit into the budget and onto the disk. Waits for
   * space on a full disk.
   * @throws ScratchFullError SCRATCH_FULL; StorageFullError STORAGE_FULL; the signal's reason
   */
  async assertFits(bytes: number): Promise<void> {
    if (this.#usedBytes + bytes > this.#limitBytes) {
      throw new ScratchFullError(
        `${bytes} bytes requested, ${this.#limitBytes - this.#usedBytes} available; raise RECORD_BROKER_SCRATCH_LIMIT`,
      )
    }
    await this.#retryWhileDiskIsFull(() => this.#diskSpace.assertAvailable(bytes))
  }

  /** Creates an append-only file. The caller closes it once its bytes are not needed any more. */
  async createFile(): Promise<ScratchFile> {
    const path = join(this.folder, String(this.#fileCount++))
    const handle = await this.#retryWhileDiskIsFull(() => open(path, 'wx', 0o600))
    const file = new ScratchFile(path, handle, {
      reserve: (bytes) => this.#reserve(bytes),
      release: (bytes) => this.#changeUsed(-bytes),
      write: (write) => this.#retryWhileDiskIsFull(write),
      forget: () => void this.#openFiles.delete(file),
    })
    this.#openFiles.add(file)
    return file
  }

  async #reserve(bytes: number): Promise<void> {
    if (this.#usedBytes + bytes > this.#limitBytes) {
      throw new ScratchFullError(
        `all ${this.#limitBytes} bytes are in use; raise RECORD_BROKER_SCRATCH_LIMIT`,
      )
    }
    this.#changeUsed(bytes)
    this.#bytesSinceDiskCheck += bytes
    if (this.#bytesSinceDiskCheck < DISK_CHECK_INTERVAL_BYTES) return
    this.#bytesSinceDiskCheck = 0
    await this.#retryWhileDiskIsFull(() => this.#diskSpace.assertAvailable(bytes))
  }

  #changeUsed(bytes: number): void {
    this.#usedBytes += bytes
    if (this.#usage) this.#usage.bytes += bytes
  }

  async #retryWhileDiskIsFull<Result>(action: () => Promise<Result>): Promise<Result> {
    const deadline = performance.now() + this.#diskFullTimeoutMs
    for (;;) {
      try {
        return await action()
      } catch (cause) {
        const error = asStorageFullError(cause, "the broker's disk")
        if (!(error instanceof StorageFullError) || performance.now() >= deadline) throw error
      }
      await pauseStallWatch(() => sleep(DISK_FULL_RETRY_MS, this.#signal))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#openFiles].map((file) => file.close()))
    await rm(this.folder, { recursive: true, force: true })
  }
}

export type ScratchOptions = {
  /** The size that all files together may reach. */
  readonly limitBytes: number
  /** The free space of the disk; default: measured for the folder, without a reserve. */
  readonly diskSpace?: DiskSpace | undefined
  /** How long operations wait for space on a full disk. */
  readonly diskFullTimeoutMs?: number
  /** Ends such waits. */
  readonly signal?: AbortSignal | undefined
  /** Counts the bytes of several scratch folders together. */
  readonly usage?: ScratchUsage | undefined
}

/** The bytes of the files of all scratch folders that share this object. */
export type ScratchUsage = { bytes: number }

/** What a file needs of the {@link Scratch} that created it. */
type ScratchAccess = {
  reserve(bytes: number): Promise<void>
  release(bytes: number): void
  write<Result>(write: () => Promise<Result>): Promise<Result>
  /** Disposing of the scratch folder no longer closes the file. */
  forget(): void
}

/** A file of a {@link Scratch}. Closing it removes it and returns its bytes to the budget. */
export class ScratchFile {
  readonly path: string
  readonly #handle: FileHandle
  readonly #scratch: ScratchAccess
  #size = 0

  constructor(path: string, handle: FileHandle, scratch: ScratchAccess) {
    this.path = path
    this.#handle = handle
    this.#scratch = scratch
  }

  /**
   * Appends bytes. Waits for space on a full disk.
   * @throws ScratchFullError SCRATCH_FULL; StorageFullError STORAGE_FULL; the signal's reason
   */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#scratch.reserve(bytes.length)
    const start = this.#size
    this.#size += bytes.length
    for (let offset = 0; offset < bytes.length; ) {
      // The position is explicit: a write that failed may have moved the file's own.
      const write = () => this.#handle.write(bytes, offset, bytes.length - offset, start + offset)
      offset += (await this.#scratch.write(write)).bytesWritten
    }
  }

  /**
   * Appends bytes that arrive in small pieces, by fewer and larger writes.
   * @throws as {@link write}; errors of the source
   */
  async writeAll(source: AsyncIterable<Uint8Array>): Promise<void> {
    const batch = Buffer.allocUnsafe(WRITE_BYTES)
    let length = 0
    for await (const piece of source) {
      if (length + piece.length > WRITE_BYTES) {
        await this.write(batch.subarray(0, length))
        length = 0
      }
      if (piece.length > WRITE_BYTES) await this.write(piece)
      else {
        batch.set(piece, length)
        length += piece.length
      }
    }
    await this.write(batch.subarray(0, length))
  }

  /** Reads all bytes written so far, from the start. */
  read(): Readable {
    return createReadStream(this.path)
  }

  async close(): Promise<void> {
    this.#scratch.forget()
    await this.#handle.close()
    await rm(this.path, { force: true })
    this.#scratch.release(this.#size)
    this.#size = 0
  }
}

/** The scratch budget is used up. */
export class ScratchFullError extends Error {
  override readonly name = 'ScratchFullError'
  readonly code = 'SCRATCH_FULL'
  constructor(reason: string) {
    super(`the scratch space is exhausted: ${reason}`)
  }
}
