import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { sleep } from '../concurrency/abort.ts'
import { isSqliteBusy } from './errors.ts'

const RETRY_INTERVAL_MS = 100
/** How long to wait for a holder that has not announced its stop: it may be about to. */
const UNANNOUNCED_WAIT_MS = 2_000

/** Another process holds the lock of the folder. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError'
  constructor(folder: string, pid: number | undefined) {
    const holder = pid === undefined ? 'another process' : `process ${pid}`
    super(
      `RECORD_BROKER_DATA: ${folder} is in use by ${holder}; stop it, or give this broker a folder of its own`,
    )
  }
}

/** The process that holds the lock, as stored in `lock.json`. `stops`: it is shutting down. */
type LockHolder = { readonly pid?: number; readonly stops?: boolean }

/**
 * The exclusive lock of a folder: SQLite's lock on a file to which nothing is ever written. The kernel
 * releases it when the process ends, even after SIGKILL.
 */
export class FolderLock implements Disposable {
  readonly #database: Sqlite.Database
  readonly #holderFile: string

  private constructor(database: Sqlite.Database, holderFile: string) {
    this.#database = database
    this.#holderFile = holderFile
    this.#writeHolder({ pid: process.pid })
  }

  /**
   * Acquires the lock. Creates the folder if it is missing. Waits for a holder that is shutting down.
   * @param waitMs how long a holder may take to shut down
   * @throws FolderInUseError
   */
  static async acquire(folder: string, waitMs: number): Promise<FolderLock> {
    mkdirSync(folder, { recursive: true })
    const holderFile = join(folder, 'lock.json')
    const database = new Sqlite(join(folder, 'lock'), { timeout: 0 })
    const startedAt = performance.now()
    try {
      while (!tryLock(database)) {
        const holder = readHolder(holderFile)
        const maxWaitMs = holder.stops ? waitMs : UNANNOUNCED_WAIT_MS
        if (performance.now() - startedAt > maxWaitMs) throw new FolderInUseError(folder, holder.pid)
        await sleep(RETRY_INTERVAL_MS)
      }
    } catch (error) {
      database.close()
      throw error
    }
    return new FolderLock(database, holderFile)
  }

  /** Announces to waiting processes that this one is shutting down. */
  announceStop(): void {
    this.#writeHolder({ pid: process.pid, stops: true })
  }

  /** The file only helps others to wait and to name this process. The lock does not depend on it. */
  #writeHolder(holder: LockHolder): void {
    try {
      writeFileSync(this.#holderFile, JSON.stringify(holder))
    } catch {
      // The file is optional: the disk may be full.
    }
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }
}

function tryLock(database: Sqlite.Database): boolean {
  try {
    database.exec('begin exclusive')
    return true
  } catch (error) {
    if (isSqliteBusy(error)) return false
    throw error
  }
}

function readHolder(holderFile: string): LockHolder {
  try {
    return JSON.parse(readFileSync(holderFile, 'utf8')) as LockHolder
  } catch {
    return {}
  }
}
