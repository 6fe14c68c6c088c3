import { createHash, type Hash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type FileHandle, open, readdir, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { DiskSpace } from '../bytes/disk-space.ts'
import { KeyedMutex } from '../concurrency/keyed-mutex.ts'
import type { ByteRange } from './byte-ranges.ts'
import { algorithmOf, type ContentDigest, finishContentDigest } from './content-digest.ts'
import { createFolder, removeOldFiles } from './durable-files.ts'
import { DistributionError, hasSystemErrorCode, ifExists } from './errors.ts'
import { folderName } from './folder-name.ts'
import { OpenUploads } from './quota/open-uploads.ts'
import type { Room } from './quota/room.ts'
import { Tally } from './quota/tally.ts'
import { projectOfUpload, type UploadOwner, uploadFileName } from './upload-name.ts'

/** The bytes of a request, and their position in the upload by its Content-Range. */
export type UploadChunk = { readonly bytes: AsyncIterable<Uint8Array>; readonly range?: ByteRange }

/** An upload as its owner names it. That of another owner does not exist. */
export type UploadKey = { readonly repository: string; readonly id: string; readonly owner: UploadOwner }

/** The sha256 of the first `size` bytes of an upload. */
type RunningHash = { readonly hash: Hash; size: number }

const READ_BYTES = 1024 * 1024
/** The free space is checked before a write, once per this many bytes. */
const SPACE_CHECK_INTERVAL_BYTES = 16 * 1024 * 1024

/**
 * Uploads in progress: one file each, whose size is the offset, in the folder of its repository. They survive a
 * restart. The sha256 is computed as bytes are received. If it is not available, because of a restart,
 * another algorithm or a chunk that was rolled back, the file is read again at the commit.
 */
export class UploadStore {
  readonly #folder: string
  readonly #disk: DiskSpace
  readonly #locks = new KeyedMutex()
  /** By path. */
  readonly #hashes = new Map<string, RunningHash>()
  /** The bytes of unfinished uploads. */
  readonly bytes: Tally = new Tally()
  readonly #open = new OpenUploads()

  constructor(folder: string, disk: DiskSpace) {
    this.#folder = folder
    this.#disk = disk
  }

  /** Counts the bytes of uploads that a former process received. */
  async measure(): Promise<void> {
    for (const folder of await readdir(this.#folder)) {
      for (const name of await readdir(join(this.#folder, folder))) {
        const path = join(this.#folder, folder, name)
        this.#open.found(path)
        this.#count(path, (await stat(path)).size)
      }
    }
  }

  /** Opens an upload and returns its id. @throws DistributionError TOOMANYREQUESTS */
  async create(repository: string, owner: UploadOwner): Promise<string> {
    const id = randomUUID()
    const path = this.#pathOf({ repository, id, owner })
    this.#open.open(path)
    try {
      await this.#locks.run(dirname(path), async () => {
        await createFolder(dirname(path))
        await (await open(path, 'wx')).close()
      })
    } catch (error) {
      this.#open.close(path)
      throw error
    }
    this.#hashes.set(path, { hash: createHash('sha256'), size: 0 })
    return id
  }

  /** Returns the number of bytes received so far. @throws DistributionError BLOB_UPLOAD_UNKNOWN */
  async size(upload: UploadKey): Promise<number> {
    try {
      return (await stat(this.#pathOf(upload))).size
    } catch (error) {
      throw hasSystemErrorCode(error, 'ENOENT') ? unknownUpload(upload.id) : error
    }
  }

  /**
   * Appends bytes and returns the new size. If the sender disconnects, the bytes received so far are kept,
   * and the upload can be resumed.
   * @throws DistributionError BLOB_UPLOAD_UNKNOWN, RANGE_INVALID (not the next byte), SIZE_INVALID; what `room`
   * throws; StorageFullError
   */
  async append(upload: UploadKey, chunk: UploadChunk, room: Room): Promise<number> {
    return this.#withFile(upload, (file, path) => this.#append(path, file, chunk, room))
  }

  /**
   * Appends the last bytes, verifies the digest, and passes the path of the synced file to `store`. A wrong
   * digest removes the upload.
   * @throws DistributionError as {@link append}, and DIGEST_INVALID
   */
  async commit(upload: UploadKey, digest: ContentDigest, { chunk, room, store }: Commit): Promise<void> {
    await this.#withFile(upload, async (file, path) => {
      const size = await this.#append(path, file, chunk, room)
      const received = await this.#computeDigest(path, file, size, digest)
      if (received !== digest) {
        await this.#remove(path)
        const message = `the ${size} received bytes have the digest ${received}, not ${digest}; push the blob again`
        throw new DistributionError('DIGEST_INVALID', 400, message, { detail: { received, size } })
      }
      await file.sync()
      try {
        await store(path, () => this.#forget(path, size))
      } catch (error) {
        if (!existsSync(path)) this.#forget(path, size)
        throw error
      }
      await this.#removeEmptyFolder(dirname(path))
    })
  }

  /** Removes an upload and its bytes. @throws DistributionError BLOB_UPLOAD_UNKNOWN */
  async cancel(upload: UploadKey): Promise<void> {
    await this.#withFile(upload, (_file, path) => this.#remove(path))
  }

  /** Removes uploads that have received nothing since a time, in milliseconds since the epoch. */
  async removeInactive(since: number): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const folder = join(this.#folder, name)
      // The folder may be gone by now: its last upload was committed.
      const removed = await ifExists(removeOldFiles(folder, since))
      for (const { path, size } of removed ?? []) this.#forget(path, size)
      await this.#removeEmptyFolder(folder)
    }
    for (const path of this.#hashes.keys()) {
      if (!existsSync(path)) this.#hashes.delete(path)
    }
  }

  async #append(path: string, file: FileHandle, { bytes, range }: UploadChunk, room: Room): Promise<number> {
    const start = (await file.stat()).size
    if (range !== undefined && range.start !== start) {
      const message = `the chunk starts at byte ${range.start}, but the next byte is ${start}`
      throw new DistributionError('RANGE_INVALID', 416, message)
    }
    const end = range === undefined ? Number.POSITIVE_INFINITY : range.end + 1
    const running = this.#hashes.get(path)
    let size = start
    let nextSpaceCheck = start
    let counted = start
    try {
      for await (const piece of bytes) {
        if (size + piece.length > end) {
          size += piece.length
          break
        }
        if (size >= nextSpaceCheck) {
          await this.#disk.assertAvailable(piece.length)
          nextSpaceCheck = size + SPACE_CHECK_INTERVAL_BYTES
        }
        room.take(piece.length)
        this.#count(path, piece.length)
        counted += piece.length
        const writing = writeFully(file, piece, size)
        if (running?.size === size) {
          running.hash.update(piece)
          running.size += piece.length
        }
        await writing
        size += piece.length
      }
    } catch (error) {
      // A write that failed midway, such as on a full disk, must not leave bytes that `size` does not
      // include.
      await file.truncate(size)
      this.#count(path, size - counted)
      if (running?.size !== size) this.#hashes.delete(path)
      throw error
    }
    if (range !== undefined && size !== end) {
      await file.truncate(start)
      this.#count(path, start - counted)
      this.#hashes.delete(path)
      const actual = size > end ? 'has more' : `ended after ${size - start}`
      const message = `Content-Range declares ${end - start} bytes, but the body ${actual}`
      throw new DistributionError('SIZE_INVALID', 400, message)
    }
    return size
  }

  async #computeDigest(
    path: string,
    file: FileHandle,
    size: number,
    expected: ContentDigest,
  ): Promise<ContentDigest> {
    const algorithm = algorithmOf(expected)
    const running = this.#hashes.get(path)
    // A hash can be finalized once only: if storing the file fails, the next commit reads the file again.
    this.#hashes.delete(path)
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

  /** Runs an action on an upload's file, one at a time. @throws DistributionError BLOB_UPLOAD_UNKNOWN */
  async #withFile<Result>(
    upload: UploadKey,
    action: (file: FileHandle, path: string) => Promise<Result>,
  ): Promise<Result> {
    const path = this.#pathOf(upload)
    return this.#locks.run(path, async () => {
      const file = await open(path, 'r+').catch((error: unknown) => {
        throw hasSystemErrorCode(error, 'ENOENT') ? unknownUpload(upload.id) : error
      })
      try {
        return await action(file, path)
      } finally {
        await file.close()
      }
    })
  }

  async #remove(path: string): Promise<void> {
    this.#hashes.delete(path)
    // Gone by now if nothing was received for a day.
    const stats = await stat(path).catch(() => undefined)
    await rm(path, { force: true })
    this.#forget(path, stats?.size ?? 0)
    await this.#removeEmptyFolder(dirname(path))
  }

  /** Removes the folder of a repository with its last upload: names of repositories cost nothing. */
  async #removeEmptyFolder(folder: string): Promise<void> {
    await this.#locks.run(folder, async () => {
      await rmdir(folder).catch((error: unknown) => {
        if (!hasSystemErrorCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error
      })
    })
  }

  /** Ends the counting of an upload that has become a blob or is gone. */
  #forget(path: string, size: number): void {
    if (this.#open.close(path)) this.#count(path, -size)
  }

  #count(path: string, bytes: number): void {
    this.bytes.add(projectOfUpload(basename(path)), bytes)
  }

  #pathOf({ repository, id, owner }: UploadKey): string {
    const name = uploadFileName(id, owner)
    if (name === undefined) throw unknownUpload(id)
    return join(this.#folder, folderName(repository), name)
  }
}

/** The end of an upload: its last bytes, whether there is room for them, and what moves the file to its place. */
type Commit = {
  readonly chunk: UploadChunk
  readonly room: Room
  /** Calls `onCounted` in the same step in which the bytes are counted as those of a blob. */
  readonly store: (path: string, onCounted: () => void) => Promise<void>
}

function unknownUpload(id: string): DistributionError {
  const message = `the upload ${JSON.stringify(id.slice(0, 100))} does not exist; it may have been committed, cancelled or expired: start a new one`
  return new DistributionError('BLOB_UPLOAD_UNKNOWN', 404, message)
}

/** Writes all bytes: a single write may write fewer bytes than it received. */
async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const result = await file.write(bytes, written, bytes.length - written, position + written)
    written += result.bytesWritten
  }
}
