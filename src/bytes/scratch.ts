import { type FileHandle, mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * A folder for bytes that must wait on disk, with one budget for all of it. It goes with everything in
 * it when disposed of, on every exit.
 */
export class Scratch implements AsyncDisposable {
  readonly folder: string
  readonly #limit: number
  #reserved = 0
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
   * Takes bytes from the budget before they are written.
   * @throws ScratchFullError when the budget does not hold them
   */
  reserve(bytes: number): void {
    if (this.#reserved + bytes > this.#limit) throw new ScratchFullError(bytes, this.#limit - this.#reserved)
    this.#reserved += bytes
  }

  /** Gives reserved bytes back. */
  release(bytes: number): void {
    this.#reserved = Math.max(0, this.#reserved - bytes)
  }

  /** Opens a new file for reading and writing. The caller closes it. */
  async file(): Promise<FileHandle> {
    return open(join(this.folder, String(this.#files++)), 'wx+', 0o600)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** The scratch budget is used up. */
export class ScratchFullError extends Error {
  override readonly name = 'ScratchFullError'
  readonly code = 'SCRATCH_FULL'
  constructor(wanted: number, left: number) {
    super(`scratch space is short: ${wanted} bytes wanted, ${left} left; raise RECORD_BROKER_SCRATCH_LIMIT`)
  }
}
