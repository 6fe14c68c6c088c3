import { createHash, type Hash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DiskRoom } from '../bytes/disk-room.ts'
import { KeyedMutex } from '../concurrency/keyed-mutex.ts'
import { algorithmOf, type ContentDigest, finishContentDigest } from './content-digest.ts'
import { makeFolder, removeOlder } from './durable.ts'
import { DistributionError, failedWith } from './errors.ts'
import { folderName } from './folder-name.ts'

/** First and last byte, both included, as in Content-Range. */
export type ByteRange = { readonly start: number; readonly end: number }

/** Bytes of a request, and where its Content-Range says they belong. */
export type Chunk = { readonly bytes: AsyncIterable<Uint8Array>; readonly range?: ByteRange }

const UPLOAD_ID = /^[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}$/
const READ_BYTES = 1024 * 1024
/** How many bytes are written between two looks at the room that is left. */
const LOOK_EVERY_BYTES = 16 * 1024 * 1024

/**
 * Uploads under way: one file each, `<folder>/<repository>/<id>`; its length is the offset. They survive a
 * restart. The sha256 is computed in passing; where that is lost (a restart, another algorithm, a chunk
 * that was taken back) the file is read again at the end.
 */
export class Uploads {
  readonly #folder: string
  readonly #room: DiskRoom
  readonly #locks = new KeyedMutex()
  readonly #running = new Map<string, { hash: Hash; size: number }>()

  constructor(folder: string, room: DiskRoom) {
    this.#folder = folder
    this.#room = room
  }

  /** Opens an upload and returns its id. */
  async create(repository: string): Promise<string> {
    const id = randomUUID()
    const path = this.#pathOf(repository, id)
    await makeFolder(dirname(path))
    await (await open(path, 'wx')).close()
    this.#running.set(path, { hash: createHash('sha256'), size: 0 })
    return id
  }

  /** Bytes received so far. @throws DistributionError BLOB_UPLOAD_UNKNOWN */
  async size(repository: string, id: string): Promise<number> {
    try {
      return (await stat(this.#pathOf(repository, id))).size
    } catch (error) {
      throw failedWith(error, 'ENOENT') ? unknownUpload(id) : error
    }
  }

  /**
   * Adds bytes at the end and returns the new size. When the sender goes away, what came stays, and the
   * upload can go on from there.
   * @throws DistributionError BLOB_UPLOAD_UNKNOWN, RANGE_INVALID (not the next byte), SIZE_INVALID; StorageFullError
   */
  async append(repository: string, id: string, chunk: Chunk): Promise<number> {
    return this.#opened(repository, id, (file, path) => this.#append(path, file, chunk))
  }

  /**
   * Adds the last bytes, checks the digest and hands the synced file to `place`. A wrong digest ends the upload.
   * @throws DistributionError as {@link append}, and DIGEST_INVALID
   */
  async commit(
    repository: string,
    id: string,
    digest: ContentDigest,
    chunk: Chunk,
    place: (file: string) => Promise<void>,
  ): Promise<void> {
    await this.#opened(repository, id, async (file, path) => {
      const size = await this.#append(path, file, chunk)
      const found = await this.#digest(path, file, size, digest)
      if (found !== digest) {
        await this.#forget(path)
        const message = `the ${size} bytes received have the digest ${found}, not ${digest}`
        throw new DistributionError('DIGEST_INVALID', 400, message, { detail: { received: found, size } })
      }
      await file.sync()
      await place(path)
    })
  }

  /** Ends an upload and drops its bytes. @throws DistributionError BLOB_UPLOAD_UNKNOWN */
  async cancel(repository: string, id: string): Promise<void> {
    await this.#opened(repository, id, (_file, path) => this.#forget(path))
  }

  /** Drops uploads that received nothing since a moment, and returns how many. */
  async removeOlder(sinceMs: number): Promise<number> {
    let removed = 0
    for (const name of await readdir(this.#folder)) {
      removed += await removeOlder(join(this.#folder, name), sinceMs)
    }
    for (const path of this.#running.keys()) {
      if (!existsSync(path)) this.#running.delete(path)
    }
    return removed
  }

  async #append(path: string, file: FileHandle, { bytes, range }: Chunk): Promise<number> {
    const start = (await file.stat()).size
    if (range !== undefined && range.start !== start) {
      const message = `the chunk starts at byte ${range.start}, but ${start} bytes were received so far`
      throw new DistributionError('RANGE_INVALID', 416, message)
    }
    const limit = range === undefined ? Number.POSITIVE_INFINITY : range.end + 1
    const running = this.#running.get(path)
    let size = start
    let lookAt = start
    try {
      for await (const piece of bytes) {
        if (size + piece.length > limit) {
          size += piece.length
          break
        }
        if (size >= lookAt) {
          await this.#room.check(piece.length)
          lookAt = size + LOOK_EVERY_BYTES
        }
        const written = writeFully(file, piece, size)
        if (running?.size === size) {
          running.hash.update(piece)
          running.size += piece.length
        }
        await written
        size += piece.length
      }
    } catch (error) {
      // A write that failed half-way (disk full) must not leave bytes that were not counted.
      await file.truncate(size)
      if (running?.size !== size) this.#running.delete(path)
      throw error
    }
    if (range !== undefined && size !== limit) {
      await file.truncate(start)
      this.#running.delete(path)
      const message = `Content-Range promises ${limit - start} bytes, but the body has ${size > limit ? 'more' : size - start}`
      throw new DistributionError('SIZE_INVALID', 400, message)
    }
    return size
  }

  async #digest(path: string, file: FileHandle, size: number, wanted: ContentDigest): Promise<ContentDigest> {
    const algorithm = algorithmOf(wanted)
    const running = this.#running.get(path)
    // A hash can be ended once: should placing the file fail, the next attempt reads it again.
    this.#running.delete(path)
    if (algorithm === 'sha256' && running?.size === size) return finishContentDigest('sha256', running.hash)
    const hash = createHash(algorithm)
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    for (let position = 0; ; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
      if (bytesRead === 0) return finishContentDigest(algorithm, hash)
      hash.update(buffer.subarray(0, bytesRead))
      position += bytesRead
    }
  }

  /** Acts on an upload's file, alone. */
  async #opened<Result>(
    repository: string,
    id: string,
    act: (file: FileHandle, path: string) => Promise<Result>,
  ): Promise<Result> {
    const path = this.#pathOf(repository, id)
    return this.#locks.run(path, async () => {
      const file = await open(path, 'r+').catch((error: unknown) => {
        throw failedWith(error, 'ENOENT') ? unknownUpload(id) : error
      })
      try {
        return await act(file, path)
      } finally {
        await file.close()
      }
    })
  }

  async #forget(path: string): Promise<void> {
    this.#running.delete(path)
    await rm(path, { force: true })
  }

  #pathOf(repository: string, id: string): string {
    if (!UPLOAD_ID.test(id)) throw unknownUpload(id)
    return join(this.#folder, folderName(repository), id)
  }
}

function unknownUpload(id: string): DistributionError {
  return new DistributionError(
    'BLOB_UPLOAD_UNKNOWN',
    404,
    `there is no upload ${JSON.stringify(id.slice(0, 100))}`,
  )
}

/** A write may take fewer bytes than it was given. */
async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten
  }
}
