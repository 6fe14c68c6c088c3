import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { pause } from '../concurrency/abort.ts'
import { isBusy } from './errors.ts'

const LOOK_EVERY_MS = 100
/** Whoever holds the folder may have been told to stop just now. */
const PATIENCE_MS = 2_000

/** Another process uses the folder. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse'
  constructor(folder: string, pid: number | undefined) {
    const who = pid === undefined ? 'another process' : `process ${pid}`
    super(
      `RECORD_BROKER_DATA: ${folder} is in use by ${who}; stop it, or give this broker a folder of its own`,
    )
  }
}

/** Who holds the folder, as far as it says so. */
type Holder = { readonly pid?: number; readonly stops?: boolean }

/**
 * A folder that one process uses alone. The kernel releases it when the process ends, however that happens: it is SQLite's
 * lock on a file, of which nothing is ever written.
 */
export class FolderLock implements Disposable {
  readonly #database: Sqlite.Database
  readonly #note: string

  private constructor(database: Sqlite.Database, note: string) {
    this.#database = database
    this.#note = note
    this.#say({ pid: process.pid })
  }

  /**
   * Takes the folder, which is made when it is missing. Waits for a holder that stops.
   * @param waitMs how long a holder may take to stop
   * @throws FolderInUse
   */
  static async take(folder: string, waitMs: number): Promise<FolderLock> {
    mkdirSync(folder, { recursive: true })
    const note = join(folder, 'lock.json')
    const database = new Sqlite(join(folder, 'lock'), { timeout: 0 })
    const since = performance.now()
    try {
      while (!locks(database)) {
        const { pid, stops } = holderOf(note)
        if (performance.now() - since > (stops ? waitMs : PATIENCE_MS)) throw new FolderInUse(folder, pid)
        await pause(LOOK_EVERY_MS)
      }
    } catch (error) {
      database.close()
      throw error
    }
    return new FolderLock(database, note)
  }

  /** Tells whoever wants the folder that this process stops. */
  stops(): void {
    this.#say({ pid: process.pid, stops: true })
  }

  /** What is said helps others to wait, and to name this process; the lock does not depend on it. */
  #say(holder: Holder): void {
    try {
      writeFileSync(this.#note, JSON.stringify(holder))
    } catch {
      // A full disk, for one.
    }
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }
}

function locks(database: Sqlite.Database): boolean {
  try {
    database.exec('begin exclusive')
    return true
  } catch (error) {
    if (isBusy(error)) return false
    throw error
  }
}

function holderOf(note: string): Holder {
  try {
    return JSON.parse(readFileSync(note, 'utf8')) as Holder
  } catch {
    return {}
  }
}
