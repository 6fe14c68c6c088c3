import { statfs } from 'node:fs/promises'
import { StorageFullError } from './storage-full.ts'

/** How long a look at the disk is believed by those who ask all the time. */
const LOOK_EVERY_MS = 1_000

/**
 * The room of the disk that a folder lies on. What takes much of it asks first, and leaves a reserve to what has to go on
 * in any case: the database, above all.
 */
export class DiskRoom {
  readonly #folder: string
  readonly #reserve: number
  #looked = { at: Number.NEGATIVE_INFINITY, left: 0 }

  /**
   * @param folder that is there
   * @param reserve in bytes
   */
  constructor(folder: string, reserve: number) {
    this.#folder = folder
    this.#reserve = reserve
  }

  /** Bytes that may be taken; below zero when the reserve is in use. */
  async left(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#folder)
    const left = bavail * bsize - this.#reserve
    this.#looked = { at: performance.now(), left }
    return left
  }

  /** Whether there is no room at present. */
  async isShort(): Promise<boolean> {
    const isOld = performance.now() - this.#looked.at > LOOK_EVERY_MS
    return (isOld ? await this.left() : this.#looked.left) <= 0
  }

  /** @throws StorageFullError when there is no room for so many bytes */
  async check(bytes: number): Promise<void> {
    const left = await this.left()
    if (bytes < left) return
    const room = left <= 0 ? 'none' : String(left)
    throw new StorageFullError(`the broker's disk (${bytes} bytes are wanted, ${room} may be taken)`)
  }
}
