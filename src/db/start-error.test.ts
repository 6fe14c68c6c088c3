import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PostgresServer } from '../../test/support/databases.ts'
import { describeWithPeers, findPostgresPrograms } from '../../test/support/peers/peers.ts'
import { openDatabase } from './open-database.ts'

/** Returns the message of the error at which opening the database fails. */
async function failure(url: string): Promise<string> {
  const error = await openDatabase(url).then(
    async (database) => {
      await database.close()
      throw new Error('the database was opened')
    },
    (reason: Error & { code?: unknown }) => reason,
  )
  expect(error.code).toBe('DATABASE_START')
  return error.message
}

it('reports why an SQLite file cannot be opened, with a remedy', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'record-broker-'))
  const file = join(folder, 'file')
  writeFileSync(file, 'this is not a database, but is long enough to be read as a page of one'.repeat(20))
  try {
    expect(await failure(`sqlite:${file}`)).toBe(
      `DATABASE_URL: ${file}: the file is not an SQLite database; set another path (SQLITE_NOTADB)`,
    )
    expect(await failure(`sqlite:${file}/x.sqlite`)).toMatch(/a part of the path is not a folder/)
    expect(await failure(`sqlite:${folder}`)).toMatch(/the file cannot be opened/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

it('reports that no server listens at an address, without the password', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  const message = await failure(`postgres://broker:s3cret/@127.0.0.1:${port}/broker`)
  expect(message).toContain(`127.0.0.1:${port}/broker: the connection was refused; start the server`)
  expect(message).not.toContain('s3cret')
})

describeWithPeers(['postgres'], 'a PostgreSQL server', () => {
  // Every character with a meaning in an address.
  const PASSWORD = 'p@ss/w:rd#?%&\'" ü'
  let server: PostgresServer
  beforeAll(() => {
    server = new PostgresServer(findPostgresPrograms() ?? '', PASSWORD)
  })
  afterAll(() => server.remove())
  const withPassword = (password: string) => server.url.replace(PASSWORD, password)

  it('is opened with a password that contains any characters', async () => {
    await (await openDatabase(server.url)).close()
  })

  it('that rejects the password or lacks the database is reported with a remedy', async () => {
    expect(await failure(withPassword('wrong'))).toMatch(/the password is wrong; correct it .*\(28P01\)$/)
    expect(await failure(withPassword('wrong'))).not.toContain('postgres:wrong')
    expect(await failure(server.url.replace(/[^/]*$/, 'nowhere'))).toMatch(
      /nowhere: the database does not exist; create it with createdb \(3D000\)$/,
    )
    expect(await failure(server.url.replace(`:${PASSWORD}`, ''))).toMatch(/requires a password/)
  })
})
