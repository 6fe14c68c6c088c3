import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { type Database, openDatabase } from '../../src/db/open.ts'
import { describeWith, postgresPrograms } from './peers.ts'

/** A database of a test, gone when closed. */
export type TestDatabase = { readonly database: Database; readonly url: string; close(): Promise<void> }

/** One suite on both engines: on PostgreSQL where it is installed. */
export function describeDatabases(name: string, suite: (open: () => Promise<TestDatabase>) => void): void {
  describe(`${name} in SQLite`, () => suite(temporarySqlite))
  describeWith(['postgres'], `${name} in PostgreSQL`, () =>
    suite(() => temporaryPostgres(postgresPrograms() ?? '')),
  )
}

/** A new SQLite database in a folder of its own, gone when closed. */
export async function temporarySqlite(): Promise<TestDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'record-broker-'))
  const url = `sqlite:${join(folder, 'test.sqlite')}`
  const database = await openDatabase(url)
  const close = async () => {
    await database.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return { database, url, close }
}

/** A PostgreSQL server of its own, reached by a Unix socket, gone when closed. */
export class PostgresServer {
  readonly url: string
  readonly #run: (program: string, ...args: string[]) => void
  readonly #folder: string

  /**
   * @param programs the folder of the server programs
   * @param password of the user postgres; left out: none is asked for
   */
  constructor(programs: string, password?: string) {
    const folder = mkdtempSync(join(tmpdir(), 'record-broker-pg-'))
    this.#folder = folder
    // PostgreSQL refuses to run as root: there its own account, which Debian's package makes, has to.
    const asRoot = userInfo().uid === 0
    this.#run = (program, ...args) => {
      const command = [join(programs, program), ...args]
      const [file = '', ...rest] = asRoot
        ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', ...command]
        : command
      execFileSync(file, rest, {
        stdio: 'ignore',
        cwd: folder,
        env: { ...process.env, ...(password !== undefined && { PGPASSWORD: password }) },
      })
    }
    const secret = join(folder, 'password')
    writeFileSync(secret, `${password ?? ''}\n`)
    if (asRoot) execFileSync('chown', ['-R', 'postgres', folder])
    const auth = password === undefined ? ['-A', 'trust'] : ['-A', 'scram-sha-256', `--pwfile=${secret}`]
    this.#run('initdb', '-D', join(folder, 'data'), ...auth, '-U', 'postgres', '--no-sync')
    this.start()
    const name = `test_${randomUUID().replaceAll('-', '')}`
    this.#run('createdb', '-h', folder, '-U', 'postgres', name)
    const user = password === undefined ? 'postgres' : `postgres:${password}`
    this.url = `postgres://${user}@${encodeURIComponent(folder)}/${name}`
  }

  start(): void {
    const options = `-k ${this.#folder} -c listen_addresses=`
    this.#control('-w', '-l', join(this.#folder, 'log'), '-o', options, 'start')
  }

  /** Ends it without a chance to clean up. */
  stop(): void {
    this.#control('-m', 'immediate', '-w', 'stop')
  }

  /** Stops it where it runs, and removes it. */
  remove(): void {
    this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #control(...args: string[]): void {
    this.#run('pg_ctl', '-D', join(this.#folder, 'data'), ...args)
  }
}

/** A database on a PostgreSQL server of its own. */
export async function temporaryPostgres(programs: string): Promise<TestDatabase> {
  const server = new PostgresServer(programs)
  const { url } = server
  const database = await openDatabase(url)
  const close = async () => {
    await database.close()
    server.remove()
  }
  return { database, url, close }
}
