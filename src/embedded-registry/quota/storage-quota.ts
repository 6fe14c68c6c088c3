import { DistributionError } from '../errors.ts'
import type { ByteTally, StoredBytes } from './stored-bytes.ts'

/** Checks that a project may store this many bytes more. @throws DistributionError DENIED */
export type RoomCheck = (bytes: number) => void

/** The bytes that a project may store; undefined for no limit. */
export type StorageLimit = (project: string) => Promise<number | undefined>

const UNLIMITED: RoomCheck = () => undefined

/** Keeps projects within their quotas. Bytes of unfinished uploads count, as they are on the disk, too. */
export class StorageQuota {
  readonly #limitOf: StorageLimit
  readonly #stored: StoredBytes
  readonly #uploads: ByteTally

  constructor(limitOf: StorageLimit, stored: StoredBytes, uploads: ByteTally) {
    this.#limitOf = limitOf
    this.#stored = stored
    this.#uploads = uploads
  }

  /** The bytes that a project stores. */
  async used(project: string): Promise<number> {
    await this.#stored.measureAll()
    return this.#stored.of(project) + this.#uploads.of(project)
  }

  /** Returns the check for the pushes of one request. */
  async room(project: string): Promise<RoomCheck> {
    const limit = await this.#limitOf(project)
    if (limit === undefined) return UNLIMITED
    await this.#stored.measureAll()
    return (bytes) => {
      const used = this.#stored.of(project) + this.#uploads.of(project)
      if (used + bytes > limit) throw quotaExceeded(project, used, bytes, limit)
    }
  }
}

function quotaExceeded(project: string, used: number, bytes: number, limit: number): DistributionError {
  const message = `the quota of the project ${project} is full: it stores ${used} of ${limit} bytes (storedBytes), and this needs ${bytes} more; delete manifests and blobs, or let an administrator raise the quota`
  return new DistributionError('DENIED', 403, message, { detail: { quota: 'storedBytes', limit, used } })
}
