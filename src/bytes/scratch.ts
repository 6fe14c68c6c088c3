import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, mkdtemp, open, readdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

/** What is gathered before it is written. */
const WRITE_BYTES = 512 * 1024

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
  readonly #open = new Set<ScratchFile>()
  #used = 0
  #files = 0

  private constructor(folder: string, limit: number) {
    this.folder = folder
    this.#limit = limit
  }

  /** Makes a new folder inside `parent` (made when missing) that may hold `limit` bytes. */
  static async open(parent: string, limit: number): Promise<Scratch> {
    await mkdir(parent, { recursive: true })
    return new Scratch(await mkdtemp(join(parent, 'scratch-')), limit)
  }

  /**
   * Makes sure, before work begins, that so many bytes more will fit: into the budget and onto the disk.
   * @throws ScratchFullError
   */
  async expect(bytes: number): Promise<void> {
    if (this.#used + bytes > this.#limit) {
      throw new ScratchFullError(
        `${bytes} bytes wanted, ${this.#limit - this.#used} left; raise RECORD_BROKER_SCRATCH_LIMIT`,
      )
    }
    const { bavail, bsize } = await statfs(this.folder)
    if (bytes > bavail * bsize) {
      throw new ScratchFullError(
        `${bytes} bytes wanted, the disk has ${bavail * bsize} left; free some of it`,
      )
    }
  }

  /** A new file, which only grows. The caller closes it when its bytes are not needed any more. */
  async file(): Promise<ScratchFile> {
    const path = join(this.folder, String(this.#files++))
    const file = new ScratchFile(path, await open(path, 'wx', 0o600), {
      take: (bytes) => this.#take(bytes),
      closed: () => void this.#open.delete(file),
    })
    this.#open.add(file)
    return file
  }

  #take(bytes: number): void {
    if (this.#used + bytes > this.#limit) {
      throw new ScratchFullError(`all ${this.#limit} bytes are used; raise RECORD_BROKER_SCRATCH_LIMIT`)
    }
    this.#used += bytes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open].map((file) => file.close()))
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** One file of a {@link Scratch}; closing it gives its bytes back. */
export class ScratchFile {
  readonly path: string
  readonly #handle: FileHandle
  readonly #owner: { take(bytes: number): void; closed(): void }
  #size = 0

  constructor(path: string, handle: FileHandle, owner: { take(bytes: number): void; closed(): void }) {
    this.path = path
    this.#handle = handle
    this.#owner = owner
  }

  /** Appends bytes. @throws ScratchFullError */
  async write(bytes: Uint8Array): Promise<void> {
    this.#owner.take(bytes.length)
    this.#size += bytes.length
    for (let at = 0; at < bytes.length; ) {
      at += (await this.#handle.write(bytes, at)).bytesWritten
    }
  }

  /** Appends bytes that come in small pieces, by fewer and larger writes. @throws ScratchFullError; errors of the source */
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
    this.#owner.take(-this.#size)
    this.#size = 0
  }
}

/** The scratch budget or the disk is used up. */
export class ScratchFullError extends Error {
  override readonly name = 'ScratchFullError'
  readonly code = 'SCRATCH_FULL'
  constructor(why: string) {
    super(`scratch space is short: ${why}`)
  }
}
