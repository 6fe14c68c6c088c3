import { statfs } from 'node:fs/promises'
import { StorageFullError } from './storage-full-error.ts'

/** How long {@link DiskSpace.isExhausted} reuses a measurement, because its callers poll. */
const MEASUREMENT_TTL_MS = 1_000

/**
 * The free space of the disk that holds a folder. Large writes check it first and leave a reserve for writes
 * that must not fail, above all those of the database.
 */
export class DiskSpace {
  readonly #folder: string
  readonly #reserveBytes: number
  #lastMeasurement = { takenAt: Number.NEGATIVE_INFINITY, availableBytes: 0 }

  /** @param folder that exists */
  constructor(folder: string, reserveBytes: number) {
    this.#folder = folder
    this.#reserveBytes = reserveBytes
  }

  /** Measures the size of the disk and its free space, the reserve included, in bytes. */
  async measure(): Promise<{ readonly size: number; readonly free: number; readonly reserve: number }> {
    const { blocks, bavail, bsize } = await statfs(this.#folder)
    return { size: blocks * bsize, free: bavail * bsize, reserve: this.#reserveBytes }
  }

  /** Measures the free space beyond the reserve, in bytes; negative while the reserve is in use. */
  async availableBytes(): Promise<number> {
    const { free, reserve } = await this.measure()
    const availableBytes = free - reserve
    this.#lastMeasurement = { takenAt: performance.now(), availableBytes }
    return availableBytes
  }

  /** Whether there is no free space beyond the reserve. */
  async isExhausted(): Promise<boolean> {
    const { takenAt, availableBytes } = this.#lastMeasurement
    const isStale = performance.now() - takenAt > MEASUREMENT_TTL_MS
    return (isStale ? await this.availableBytes() : availableBytes) <= 0
  }

  /** @throws StorageFullError if so many bytes are not available */
  async assertAvailable(bytes: number): Promise<void> {
    const availableBytes = await this.availableBytes()
    if (bytes < availableBytes) return
    const available = availableBytes <= 0 ? 'none' : String(availableBytes)
    throw new StorageFullError(`the broker's disk (${bytes} bytes requested, ${available} available)`)
  }
}
