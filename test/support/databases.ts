import { execFileSync } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { openDatabase } from '../../src/db/open-database.ts'
import { cacheFolder } from './cache-folder.ts'
import { describeWithPeers, findPostgresPrograms } from './peers/peers.ts'

/** The database of a test. Closing deletes it. */
export type TestDatabase = { readonly database: Database; readonly url: string; close(): Promise<void> }

/** Runs a suite on both engines, on PostgreSQL only where it is installed. */
export function describeDatabases(name: string, suite: (open: () => Promise<TestDatabase>) => void): void {
  describe(`${name} in SQLite`, () => suite(temporarySqlite))
  describeWithPeers(['postgres'], `${name} in PostgreSQL`, () =>
    suite(() => temporaryPostgres(findPostgresPrograms() ?? '')),
  )
}

/** Creates an SQLite database in its own temporary folder. */
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

/** A temporary PostgreSQL server that listens on a Unix socket. */
export class PostgresServer {
  readonly url: string
  readonly #run: (program: string, ...args: string[]) => void
  readonly #folder: string

  /**
   * @param programs the folder of the server programs
   * @param password the password of the user postgres; default: none is required
   */
  constructor(programs: string, password?: string) {
    const folder = mkdtempSync(join(tmpdir(), 'record-broker-pg-'))
    this.#folder = folder
    // PostgreSQL does not run as root. Under root it runs as the account that Debian's package creates.
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
    const data = join(folder, 'data')
    const create = (...auth: string[]) =>
      this.#run('initdb', '-D', data, ...auth, '-U', 'postgres', '--no-sync')
    if (password === undefined) copyTemplate(programs, data, () => create('-A', 'trust'))
    else create('-A', 'scram-sha-256', `--pwfile=${secret}`)
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

  /** Stops the server immediately, without a clean shutdown. */
  stop(): void {
    this.#control('-m', 'immediate', '-w', 'stop')
  }

  /** Stops the server and deletes its files. */
  remove(): void {
    this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #control(...args: string[]): void {
    this.#run('pg_ctl', '-D', join(this.#folder, 'data'), ...args)
  }
}

/**
 * Fills the data folder of a server. Creating one takes a second, so that it is created once for each version of
 * PostgreSQL and copied afterwards.
 */
function copyTemplate(programs: string, data: string, create: () => void): void {
  const version = execFileSync(join(programs, 'postgres'), ['--version'], { encoding: 'utf8' })
  const name = `postgres-${createHash('sha256').update(version).digest('hex').slice(0, 16)}-${userInfo().uid}`
  const template = join(cacheFolder(), name)
  // `-a` keeps the owner, without which the server does not start.
  const copy = (from: string, to: string) => execFileSync('cp', ['-a', '--reflink=auto', from, to])
  if (existsSync(template)) {
    copy(template, data)
    return
  }
  create()
  mkdirSync(cacheFolder(), { recursive: true })
  // Other test files may create the template at the same time, so it gets a unique name until it is complete.
  const temporary = `${template}-${randomUUID()}`
  copy(data, temporary)
  try {
    renameSync(temporary, template)
  } catch {
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** Creates a database on a temporary PostgreSQL server. */
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
