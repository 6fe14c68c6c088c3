import { DistributionError } from '../errors.ts'
import { Room } from './room.ts'
import type { StoredBytes } from './stored-bytes.ts'
import { Tally } from './tally.ts'

/** The bytes that a project may store; undefined for no limit. */
export type StorageLimit = (project: string) => Promise<number | undefined>

/**
 * Keeps projects within their quotas. Bytes of unfinished uploads count, as they are on the disk, too, and those that
 * requests have reserved.
 */
export class StorageQuota {
  readonly #limitOf: StorageLimit
  readonly #stored: StoredBytes
  readonly #uploads: Tally
  readonly #reserved = new Tally()

  constructor(limitOf: StorageLimit, stored: StoredBytes, uploads: Tally) {
    this.#limitOf = limitOf
    this.#stored = stored
    this.#uploads = uploads
  }

  /** The bytes that a project stores. */
  async used(project: string): Promise<number> {
    await this.#stored.measureAll()
    return this.#storedBy(project)
  }

  /** Returns an empty room for one request, which disposes of it. */
  async room(project: string): Promise<Room> {
    const limit = (await this.#limitOf(project)) ?? Number.POSITIVE_INFINITY
    if (Number.isFinite(limit)) await this.#stored.measureAll()
    return new Room({
      check: (bytes) => {
        const used = this.#storedBy(project) + this.#reserved.of(project)
        if (used + bytes > limit) throw quotaExceeded(project, used, bytes, limit)
      },
      addReserved: (bytes) => this.#reserved.add(project, bytes),
    })
  }

  #storedBy(project: string): number {
    return this.#stored.of(project) + this.#uploads.of(project)
  }
}

function quotaExceeded(project: string, used: number, bytes: number, limit: number): DistributionError {
  const message = `the quota of the project ${project} is full: it stores ${used} of ${limit} bytes (storedBytes), with what it is receiving, and this needs ${bytes} more; delete manifests and blobs, or let an administrator raise the quota`
  return new DistributionError('DENIED', 403, message, { detail: { quota: 'storedBytes', limit, used } })
}
