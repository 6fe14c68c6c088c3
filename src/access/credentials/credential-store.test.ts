import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { KeyRing } from '../key-ring.ts'
import { DEFAULT_PROJECT_RULES } from '../projects/project.ts'
import { ProjectDirectory } from '../projects/project-directory.ts'
import { CredentialStore, MAX_CREDENTIALS } from './credential-store.ts'
import { createProjectSource, versionOfFiles } from './project-source.ts'

const SECRET = 'a-secret-of-the-registry'
const key = () => randomBytes(32)

describeDatabases('stored registry credentials', (open) => {
  let opened: TestDatabase
  let projects: ProjectDirectory
  const keys = new KeyRing([key()])
  beforeAll(async () => {
    opened = await open()
    projects = new ProjectDirectory(opened.database)
    for (const name of ['a', 'b', 'full', 'gone']) await projects.put(name, DEFAULT_PROJECT_RULES)
  })
  afterAll(() => opened.close())

  const of = (project: string, ring: KeyRing | undefined = keys) =>
    new CredentialStore({ database: opened.database, keys: ring }).in(ProjectScope.of(project))
  const robot = { username: 'robot', secret: SECRET }

  it('serve their own project and host only, under every spelling of the host', async () => {
    const { created, credential } = await of('a').put('Registry.example:443', robot)
    expect(created).toBe(true)
    expect(credential).toMatchObject({ project: 'a', host: 'registry.example', username: 'robot' })
    expect(await of('a').find('registry.example')).toEqual({ username: 'robot', password: SECRET })
    expect(await of('a').find('registry.example:443')).toEqual({ username: 'robot', password: SECRET })
    expect(await of('a').find('registry.example:8443')).toBeUndefined()
    expect(await of('b').find('registry.example')).toBeUndefined()
    expect(await of('b').get('registry.example')).toBeUndefined()
    expect(await of('b').remove('registry.example')).toBe(false)
  })

  it('are listed for the projects that a caller sees, page by page', async () => {
    const store = new CredentialStore({ database: opened.database, keys })
    await of('a').put('one.example', robot)
    await of('b').put('two.example', robot)
    const list = async (scope: ProjectScope, limit = 100) => {
      const names: string[] = []
      for (let after: string | undefined; ; ) {
        const { items, next } = await store.list(scope, { after, limit })
        names.push(...items.map(({ project, host }) => `${project} ${host}`))
        if (next === undefined) return names
        after = next
      }
    }
    const ofA = ['a one.example', 'a registry.example']
    for (const limit of [1, 2, 100])
      expect(await list(ProjectScope.ALL, limit)).toEqual([...ofA, 'b two.example'])
    expect(await list(ProjectScope.of('a'), 1)).toEqual(ofA)
    expect(await list(ProjectScope.of('gone'))).toEqual([])
    await of('a').remove('one.example')
    await of('b').remove('two.example')
  })

  it('are encrypted, for their row alone', async () => {
    await of('a').put('registry.example', robot)
    const row = await opened.database.query
      .selectFrom('registry_credentials')
      .selectAll()
      .where('project', '=', 'a')
      .executeTakeFirstOrThrow()
    expect(JSON.stringify(row)).not.toContain(SECRET)
    expect(row.secret).not.toContain(Buffer.from(SECRET).toString('base64').slice(0, 8))
    await opened.database.query
      .insertInto('registry_credentials')
      .values({ ...row, project: 'b' })
      .execute()
    await expect(of('b').find('registry.example')).rejects.toMatchObject({ code: 'CREDENTIALS' })
    await of('b').remove('registry.example')
  })

  it('survive a rotation of the key, and are never silently left out', async () => {
    const [old, next] = [key(), key()]
    await of('a', new KeyRing([old])).put('rotated.example', robot)
    expect(await of('a', new KeyRing([next, old])).find('rotated.example')).toMatchObject({
      password: SECRET,
    })
    await expect(of('a', new KeyRing([next])).find('rotated.example')).rejects.toThrow(
      /the stored credential of rotated\.example: .*RECORD_BROKER_SECRET_KEY/,
    )
    const without = new CredentialStore({ database: opened.database, keys: undefined }).in(
      ProjectScope.of('a'),
    )
    await expect(without.find('rotated.example')).rejects.toThrow(/RECORD_BROKER_SECRET_KEY/)
    await expect(without.put('rotated.example', robot)).rejects.toMatchObject({ code: 'NO_SECRET_KEY' })
    await of('a').remove('rotated.example')
  })

  it('have another version after each change', async () => {
    const versions = [await of('b').version()]
    for (const secret of ['one', 'one', 'two']) {
      await of('b').put('registry.example', { username: 'robot', secret })
      versions.push(await of('b').version())
    }
    await of('b').put('other.example', robot)
    versions.push(await of('b').version())
    expect(new Set(versions).size).toBe(versions.length)
    await of('b').remove('other.example')
    await of('b').remove('registry.example')
    expect(await of('b').version()).toBe(versions[0])
  })

  it('may be an identity token', async () => {
    await of('a').put('identity.example', { username: '<token>', secret: SECRET })
    expect(await of('a').find('identity.example')).toEqual({ identityToken: SECRET })
    await of('a').remove('identity.example')
  })

  it('are bounded, end with their project, and need one', async () => {
    for (let n = 0; n < MAX_CREDENTIALS; n++) await of('full').put(`r${n}.example`, robot)
    await expect(of('full').put('more.example', robot)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect((await of('full').put('r0.example', robot)).created).toBe(false)
    await of('gone').put('registry.example', robot)
    await projects.remove('gone')
    await expect(of('gone').put('registry.example', robot)).rejects.toMatchObject({
      code: 'PROJECT_NOT_FOUND',
    })
    await projects.put('gone', DEFAULT_PROJECT_RULES)
    expect(await of('gone').find('registry.example')).toBeUndefined()
    expect((await of('default').put('registry.example', robot)).created).toBe(true)
  })

  describe('in the order of sources', () => {
    const auths = (user: string, ...hosts: string[]) =>
      JSON.stringify({
        auths: Object.fromEntries(hosts.map((host) => [host, { username: user, password: 'x' }])),
      })

    it('come before those of mounted files, and those of the broker come last, if allowed at all', async () => {
      await using folder = await temporaryFolder()
      for (const name of ['a', 'b']) await mkdir(join(folder.path, name))
      await writeFile(
        join(folder.path, 'a', 'config.json'),
        auths('file', 'registry.example', 'file.example'),
      )
      const secret = auths('kubernetes', 'file.example', 'kubernetes.example')
      await writeFile(join(folder.path, 'a', '.dockerconfigjson'), secret)
      await writeFile(join(folder.path, 'b', 'config.json'), auths('file-of-b', 'b.example'))
      const shared = async (host: string) =>
        host.endsWith('.example') ? { username: 'broker', password: 'x' } : undefined
      const source = (project: string, mayShare: boolean) =>
        createProjectSource(project, {
          stored: of(project),
          folder: folder.path,
          shared: mayShare ? shared : undefined,
        })
      const userOf = async (find: ReturnType<typeof source>, host: string) => {
        const credentials = await find(host)
        return credentials && 'username' in credentials ? credentials.username : undefined
      }
      expect(await userOf(source('a', true), 'registry.example')).toBe('robot')
      expect(await userOf(source('a', true), 'file.example')).toBe('file')
      expect(await userOf(source('a', true), 'kubernetes.example')).toBe('kubernetes')
      expect(await userOf(source('a', true), 'other.example')).toBe('broker')
      expect(await userOf(source('a', false), 'other.example')).toBeUndefined()
      expect(await userOf(source('b', false), 'registry.example')).toBeUndefined()
      expect(await userOf(source('b', false), 'file.example')).toBeUndefined()
      expect(await userOf(source('b', false), 'b.example')).toBe('file-of-b')
      const versionOf = (project: string) =>
        versionOfFiles(project, { folder: folder.path, shared: join(folder.path, 'shared.json') })
      const before = [await versionOf('a'), await versionOf('b')]
      await writeFile(join(folder.path, 'b', 'config.json'), auths('another-file-of-b', 'b.example'))
      expect(await versionOf('a')).toBe(before[0])
      expect(await versionOf('b')).not.toBe(before[1])
      // A project without a folder has no files.
      expect(await userOf(source('full', false), 'file.example')).toBeUndefined()
    })
  })
})
