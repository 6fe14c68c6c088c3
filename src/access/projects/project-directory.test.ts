import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { KEY_BYTES, KeyRing } from '../key-ring.ts'
import { ApiTokens } from '../tokens/api-tokens.ts'
import { ProjectRules, UNSTORED_DEFAULT_PROJECT } from './project.ts'
import { ProjectDirectory } from './project-directory.ts'

const RULES = ProjectRules.parse({ read: ['r.test/a/**'], quotas: { records: 5 } })

describeDatabases('the directory of projects', (open) => {
  let opened: TestDatabase
  beforeAll(async () => {
    opened = await open()
  })
  afterAll(() => opened.close())
  beforeEach(async () => {
    await opened.database.query.deleteFrom('api_tokens').execute()
    await opened.database.query.deleteFrom('projects').execute()
  })

  it('keeps rules, and replaces them as a whole', async () => {
    const directory = new ProjectDirectory(opened.database)
    expect(await directory.get('team-a')).toBeUndefined()
    const first = await directory.put('team-a', RULES)
    expect(first).toMatchObject({ created: true, project: { name: 'team-a', ...RULES } })
    expect(await directory.get('team-a')).toEqual(first.project)
    const second = await directory.put('team-a', ProjectRules.parse({ write: ['**'] }))
    expect(second).toMatchObject({ created: false, project: { read: [], write: ['**'], quotas: {} } })
    expect(second.project.createdAt).toBe(first.project.createdAt)
    expect(await directory.get('team-a')).toEqual(second.project)
    expect(second.project.writable.isEverything).toBe(true)
  })

  it('may read what it may write', async () => {
    const directory = new ProjectDirectory(opened.database)
    const rules = { read: ['r.example/team/**'], write: ['r.example/team/app', 'r.example/out'] }
    const { project } = await directory.put('team-a', ProjectRules.parse(rules))
    expect(project.readable.texts).toEqual(['r.example/team/**', 'r.example/out'])
    expect(project).toMatchObject(rules)
  })

  it('is asked for names that cannot exist without a query', async () => {
    const closed = new ProjectDirectory(undefined as never)
    for (const name of ['', 'A', 'a'.repeat(64), 'a b', '-a', 'a\0'])
      expect(await closed.get(name)).toBeUndefined()
  })

  it('always has a default project, which can be changed and not removed', async () => {
    const directory = new ProjectDirectory(opened.database)
    expect(await directory.get('default')).toEqual(UNSTORED_DEFAULT_PROJECT)
    await expect(directory.remove('default')).rejects.toMatchObject({ code: 'PROJECT_IN_USE' })
    expect((await directory.put('default', RULES)).created).toBe(false)
    expect(await directory.get('default')).toMatchObject(RULES)
    expect((await directory.list({ limit: 10 })).items).toHaveLength(1)
    await expect(directory.remove('default')).rejects.toMatchObject({ code: 'PROJECT_IN_USE' })
  })

  it.each([1, 2, 3, 4, 5, 6])(
    'lists projects by name with the default one, in pages of %i',
    async (limit) => {
      const directory = new ProjectDirectory(opened.database)
      // A locale would ignore the hyphens, or sort them elsewhere.
      const names = ['a', 'a-b', 'a0', 'd-z', 'de-fault', 'default', 'default-2', 'defaulu', 'z']
      for (const name of names) if (name !== 'default') await directory.put(name, RULES)
      for (const isStored of [false, true]) {
        if (isStored) await directory.put('default', RULES)
        const listed: string[] = []
        let after: string | undefined
        do {
          const page = await directory.list({ after, limit })
          expect(page.items.length).toBeLessThanOrEqual(limit)
          listed.push(...page.items.map(({ name }) => name))
          after = page.next
        } while (after !== undefined)
        expect(listed).toEqual(names.toSorted())
      }
    },
  )

  it('refuses more projects than it may have', async () => {
    const directory = new ProjectDirectory(opened.database, { maxProjects: 2 })
    await directory.put('a', RULES)
    await directory.put('b', RULES)
    await expect(directory.put('c', RULES)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect((await directory.put('b', RULES)).created).toBe(false)
    await directory.remove('a')
    await directory.put('c', RULES)
  })

  it('creates a project once for several requests', async () => {
    const directories = Array.from({ length: 6 }, () => new ProjectDirectory(opened.database))
    const results = await Promise.all(directories.map((directory) => directory.put('team-a', RULES)))
    expect(results.filter(({ created }) => created)).toHaveLength(1)
  })

  it('removes a project only once it has no usable tokens', async () => {
    const directory = new ProjectDirectory(opened.database)
    const keys = new KeyRing([randomBytes(KEY_BYTES)])
    const tokens = new ApiTokens(opened.database, { keys }).in(ProjectScope.ALL)
    expect(await directory.remove('team-a')).toBe(false)
    await directory.put('team-a', RULES)
    const rights = { project: 'team-a', scopes: ['records:read' as const], read: [], write: [] }
    const creation = { name: 'ci', createdBy: 'x', lifetimeMs: undefined }
    const { token } = await tokens.create(rights, creation)
    await expect(directory.remove('team-a')).rejects.toThrow(`has API tokens, such as ${token.id}`)
    await tokens.revoke(token.id)
    expect(await directory.get('team-a')).toBeDefined()
    expect(await directory.remove('team-a')).toBe(true)
    expect(await directory.get('team-a')).toBeUndefined()
    await expect(tokens.create(rights, creation)).rejects.toMatchObject({ code: 'PROJECT_NOT_FOUND' })
  })
})
