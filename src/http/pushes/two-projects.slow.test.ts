import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { projectCallers } from '../../../test/support/project-callers.ts'
import { ProjectRules } from '../../access/projects/project.ts'
import { ProjectDirectory } from '../../access/projects/project-directory.ts'

const SECRET = 'a secret of the registry'
const digest = (n: number) => `sha256:${String(n).padStart(64, '0')}`

describeDatabases('rules of two projects', (open) => {
  let opened: TestDatabase
  let api: JobApi
  const ids: Record<string, string> = {}
  beforeAll(async () => {
    opened = await open()
    api = await JobApi.open(
      opened,
      {},
      {
        callerSources: [projectCallers(['r.test/**'])],
        demandsCredential: true,
        hookSecrets: { distribution: [SECRET], harbor: [SECRET] },
      },
    )
    const projects = new ProjectDirectory(opened.database)
    for (const name of ['team-a', 'team-b']) {
      const patterns = [`r.test/${name}/**`]
      await projects.put(
        name,
        ProjectRules.parse({ read: ['r.test/shared/**', ...patterns], write: patterns }),
      )
      const created = await create(name)
      expect(created).toMatchObject({ status: 201, json: { project: name } })
      ids[name] = created.json.id
    }
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await opened.close()
  })

  const as = (token: string) => ({ authorization: `Bearer ${token}` })
  const create = (token: string, fields: object = {}) =>
    api.request(
      'POST',
      '/v1/rules',
      { name: token, source: 'r.test/**', target: `r.test/${token}/{name}:{tag}-esgz`, ...fields },
      as(token),
    )
  const notify = (token: string, repository: string, n = 1, tag = 'v1') =>
    api.request(
      'POST',
      '/v1/hooks/distribution',
      {
        events: [
          {
            action: 'push',
            target: { repository, tag, digest: digest(n) },
            request: { host: 'r.test' },
          },
        ],
      },
      { ...as(token), 'content-type': 'application/vnd.docker.distribution.events.v1+json' },
    )
  const conversions = async (token: string) => {
    const { items } = (await api.request('GET', '/v1/conversions', undefined, as(token))).json
    return items.map(({ target }: { target: string }) => target).sort()
  }

  it('are seen and changed in their project only', async () => {
    const list = async (token: string, query = '') =>
      (await api.request('GET', `/v1/rules${query}`, undefined, as(token))).json.items.map(
        ({ name }: { name: string }) => name,
      )
    expect(await list('team-a')).toEqual(['team-a'])
    expect(await list('admin')).toEqual(['team-a', 'team-b'])
    expect(await list('admin', '?project=team-b')).toEqual(['team-b'])
    expect(await list('team-a', '?project=team-b')).toEqual([])
    const body = { name: 'x', source: 'r.test/team-a/**', target: 'r.test/team-a/x:1' }
    for (const [method, sent] of [['GET'], ['PUT', body], ['DELETE']] as const) {
      const texts = [ids['team-b'] ?? '', '019ab000-0000-7000-8000-000000000000'].map(async (id) => {
        const { status, text } = await api.request(method, `/v1/rules/${id}`, sent, as('team-a'))
        return `${status} ${text.replace(id, '').replace(/"requestId":"[^"]*"/, '')}`
      })
      const [foreign, missing] = await Promise.all(texts)
      expect(foreign).toMatch(/^404/)
      expect(foreign).toBe(missing)
    }
    expect(await list('admin')).toEqual(['team-a', 'team-b'])
  })

  it('are refused if they reach only what the project or the credential may not use', async () => {
    for (const [fields, path] of [
      [{ source: 'r.test/team-b/**' }, 'body.source'],
      [{ source: 'o.test/**' }, 'body.source'],
      // The project may contain more than the credential.
      [{ source: '**' }, 'body.source'],
      [{ target: 'r.test/team-b/{name}:{tag}' }, 'body.target'],
      [{ target: '{host}/{repository}:{tag}-esgz', source: 'r.test/shared/**' }, 'body.target'],
      [{ record: { image: 'r.test/team-b/app:record' } }, 'body.record'],
      [{ record: { copyFrom: 'r.test/team-b/app:esgz' } }, 'body.record'],
    ] as const) {
      const { status, json } = await create('team-a', fields)
      expect([status, json.code, json.errors?.[0].path]).toEqual([403, 'REPOSITORY_NOT_ALLOWED', path])
    }
    const replaced = await api.request(
      'PUT',
      `/v1/rules/${ids['team-a']}`,
      { name: 'x', source: 'r.test/team-a/**', target: 'r.test/team-b/x:1' },
      as('team-a'),
    )
    expect(replaced.status).toBe(403)
  })

  it('of all projects apply to notifications of the registry, each within its patterns', async () => {
    const shared = await notify(SECRET, 'shared/app')
    expect(shared.json.items[0].conversions.map(({ ruleId }: { ruleId: string }) => ruleId)).toEqual([
      ids['team-a'],
      ids['team-b'],
    ])
    const own = await notify(SECRET, 'team-a/app')
    expect(own.json.items[0]).toMatchObject({
      conversions: [{ ruleId: ids['team-a'] }],
    })
    // Rules of a project that may not read the image are not matched, and not listed.
    expect(own.json.items[0].refused).toBeUndefined()
    expect(await conversions('team-a')).toEqual(['r.test/team-a/app:v1-esgz'].flatMap((one) => [one, one]))
    expect(await conversions('team-b')).toEqual(['r.test/team-b/app:v1-esgz'])
    // Its secret shows the jobs of no project.
    const listed = async (token: string) =>
      (await api.request('GET', '/api/v1/conversions', undefined, as(token))).json
    expect(await listed(SECRET)).toEqual([])
    expect(await listed('admin')).toHaveLength(3)
  })

  it('of one project apply to notifications with its credential', async () => {
    const { json } = await notify('team-b', 'shared/other', 2)
    expect(json.items).toMatchObject([{ conversions: [{ ruleId: ids['team-b'] }] }])
    expect(JSON.stringify(json)).not.toContain(ids['team-a'])
    const foreign = await notify('team-b', 'team-a/app', 3)
    expect(foreign.json.items).toEqual([
      { image: 'r.test/team-a/app:v1', conversions: [], ignored: 'no rule matches it' },
    ])
    expect(await conversions('team-a')).not.toContain('r.test/team-a/other:v1-esgz')
  })

  it('neither convert what the broker pushed itself, nor tell others of it', async () => {
    await create('team-b', { source: 'r.test/**', name: 'everything' })
    const before = await conversions('team-b')
    const { query } = opened.database
    const { id: job_id } = await query.selectFrom('jobs').select('id').executeTakeFirstOrThrow()
    for (const [n, name] of ['team-a/result', 'team-b/result'].entries()) {
      const move = { target: `r.test/${name}:v1`, digest: digest(n + 10), job_id, token: `t${n}` }
      await query
        .insertInto('tag_moves')
        .values({ ...move, phase: 'landed', changed_at: 0 })
        .execute()
    }
    const outcome = async (repository: string, n: number) =>
      (await notify('team-b', repository, n)).json.items[0]
    const without = (value: object, name: string) => JSON.stringify(value).replaceAll(name, '')
    const own = await outcome('team-a/result', 10)
    const other = await outcome('team-a/other', 11)
    expect(without(own, 'result')).toBe(without(other, 'other'))
    expect(await outcome('team-b/result', 11)).toMatchObject({ ignored: 'the broker pushed it itself' })
    expect(await conversions('team-b')).toEqual(before)
  })

  it('convert with new records of their project', async () => {
    await create('team-a', { source: 'r.test/team-a/**', overwrite: true, onRecord: true, name: 'records' })
    await create('team-b', { source: 'r.test/shared/**', overwrite: true, onRecord: true, name: 'records' })
    const count = async (token: string) => (await conversions(token)).length
    const before = [await count('team-a'), await count('team-b')]
    const uploaded = await api.app.inject({
      method: 'POST',
      url: '/v1/records?image=r.test/team-a/new:1',
      headers: { 'content-type': 'text/plain', ...as('team-a') },
      payload: '/usr/bin/app\n',
    })
    expect(uploaded.statusCode).toBe(201)
    expect([await count('team-a'), await count('team-b')]).toEqual([(before[0] ?? 0) + 1, before[1]])
  })

  it('of one project with costly globs do not keep those of others from their pushes', async () => {
    const source = `r.test/**/${'*a'.repeat(130)}`
    const tags = Array.from({ length: 12 }, () => `${'*{a,b}*a?'.repeat(33)}`)
    const costly = { source, target: 'r.test/team-b/{name}:{tag}-esgz', tags: [...tags, '*'] }
    await opened.database.query.deleteFrom('rules').where('project', '=', 'team-b').execute()
    for (let n = 0; n < 60; n++)
      expect((await create('team-b', { ...costly, name: `${n}` })).status).toBe(201)
    const name = 'a'.repeat(200)
    const unread = (await notify(SECRET, `team-a/${name}`, 20)).json.items[0]
    const started = ({ conversions }: { conversions: { ruleId: string }[] }) =>
      conversions.map(({ ruleId }) => ruleId)
    expect(started(unread)).toContain(ids['team-a'])
    expect(unread.refused).toBeUndefined()
    // A tag that makes each glob of the costly rules keep many states.
    const shared = (await notify(SECRET, `shared/${name}`, 21, 'a'.repeat(120))).json.items[0]
    expect(started(shared)).toContain(ids['team-a'])
    expect(shared.refused.map(({ code }: { code: string }) => code)).toContain('GLOBS_TOO_COSTLY')
    expect(shared.refused.length).toBeGreaterThan(10)
  })
})
