import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '../../src/db/open.ts'

/** A new SQLite database in a folder of its own, gone when closed. */
export async function temporarySqlite(): Promise<{
  database: Database
  url: string
  close(): Promise<void>
}> {
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
export async function temporaryPostgres(
  programs: string,
): Promise<{ database: Database; url: string; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'record-broker-pg-'))
  const data = join(folder, 'data')
  // PostgreSQL refuses to run as root: there its own account, which Debian's package makes, has to.
  const asRoot = userInfo().uid === 0
  const run = (program: string, ...args: string[]) => {
    const command = [join(programs, program), ...args]
    const [file = '', ...rest] = asRoot
      ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', ...command]
      : command
    execFileSync(file, rest, { stdio: 'ignore', cwd: folder })
  }
  if (asRoot) execFileSync('chown', ['postgres', folder])
  run('initdb', '-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync')
  run(
    'pg_ctl',
    '-D',
    data,
    '-w',
    '-l',
    join(folder, 'log'),
    '-o',
    `-k ${folder} -c listen_addresses=`,
    'start',
  )
  const name = `test_${randomUUID().replaceAll('-', '')}`
  run('createdb', '-h', folder, '-U', 'postgres', name)
  const url = `postgres://postgres@${encodeURIComponent(folder)}/${name}`
  const database = await openDatabase(url)
  const close = async () => {
    await database.close()
    run('pg_ctl', '-D', data, '-m', 'immediate', '-w', 'stop')
    rmSync(folder, { recursive: true, force: true })
  }
  return { database, url, close }
}
