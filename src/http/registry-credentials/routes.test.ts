import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { CredentialStore } from '../../access/credentials/credential-store.ts'
import { KeyRing } from '../../access/key-ring.ts'
import { DEFAULT_PROJECT_RULES } from '../../access/projects/project.ts'
import { ProjectDirectory } from '../../access/projects/project-directory.ts'

const PASSWORD = 'a-password-that-nobody-shows'
const PATH = '/v1/registry-credentials'

describeDatabases('registry credentials', (open) => {
  let opened: TestDatabase
  let api: JobApi
  beforeAll(async () => {
    opened = await open()
    const { database } = opened
    const keys = new KeyRing([randomBytes(32)])
    api = await JobApi.open(opened, { registryCredentials: new CredentialStore({ database, keys }) })
    for (const name of ['a', 'b']) await new ProjectDirectory(database).put(name, DEFAULT_PROJECT_RULES)
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await opened.close()
  })

  const send = (method: 'GET' | 'PUT' | 'DELETE', path: string, project?: string, body?: object) =>
    api.request(method, path, body, project === undefined ? {} : { 'record-broker-project': project })
  const robot = { username: 'robot', password: PASSWORD }

  it('are stored, replaced, listed, shown and deleted, without their passwords', async () => {
    const created = await send('PUT', `${PATH}/registry.example:5000`, 'a', robot)
    expect(created.status).toBe(201)
    expect(created.json).toEqual({
      project: 'a',
      host: 'registry.example:5000',
      username: 'robot',
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    })
    const replaced = await send('PUT', `${PATH}/registry.example:5000`, 'a', { ...robot, username: 'other' })
    expect(replaced.status).toBe(200)
    const listed = await send('GET', PATH, 'a')
    expect(listed.json).toEqual({ items: [replaced.json] })
    const shown = await send('GET', `${PATH}/registry.example:5000`, 'a')
    expect(shown.json).toEqual(replaced.json)
    for (const { text } of [created, replaced, listed, shown]) expect(text).not.toContain(PASSWORD)
    expect((await send('DELETE', `${PATH}/registry.example:5000`, 'a')).status).toBe(204)
    expect((await send('GET', `${PATH}/registry.example:5000`, 'a')).status).toBe(404)
    expect((await send('GET', PATH, 'a')).json).toEqual({ items: [] })
  })

  it('belong to one project, and to the default one without a header', async () => {
    await send('PUT', `${PATH}/docker.io`, 'a', robot)
    for (const project of ['b', undefined]) {
      const missing = await send('GET', `${PATH}/docker.io`, project)
      const never = await send('GET', `${PATH}/never.example`, project)
      expect(missing.status).toBe(404)
      expect(missing.text.replace('docker.io', 'never.example').replaceAll(/"requestId":"[^"]*"/g, '')).toBe(
        never.text.replaceAll(/"requestId":"[^"]*"/g, ''),
      )
      expect((await send('DELETE', `${PATH}/docker.io`, project)).status).toBe(404)
      expect((await send('GET', PATH, project)).json).toEqual({ items: [] })
    }
    expect((await send('PUT', `${PATH}/docker.io`, undefined, robot)).json).toMatchObject({
      project: 'default',
    })
    expect((await send('GET', `${PATH}/index.docker.io`, 'a')).json).toMatchObject({ host: 'docker.io' })
    expect((await send('PUT', `${PATH}/docker.io`, 'missing', robot)).json).toMatchObject({
      code: 'PROJECT_NOT_FOUND',
    })
  })

  it.each([
    ['a/b', robot],
    ['no host', robot],
    ['registry.example', { username: 'with:colon', password: 'x' }],
    ['registry.example', { username: 'robot', password: '' }],
    ['registry.example', { username: 'robot', password: 'x', extra: true }],
    ['registry.example', { username: 'robot', password: 'a\0b' }],
  ])('name what is wrong with %j %j, without the password', async (host, body) => {
    const { status, text } = await send('PUT', `${PATH}/${encodeURIComponent(host)}`, 'a', body)
    expect(status).toBe(400)
    expect(text).not.toContain(PASSWORD)
  })

  describe('without a key', () => {
    it('are refused with the setting that helps', async () => {
      await using other = await JobApi.open(opened)
      const { status, json } = await other.request('PUT', `${PATH}/registry.example`, robot)
      expect(status).toBe(422)
      expect(json).toMatchObject({
        code: 'NO_SECRET_KEY',
        detail: expect.stringContaining('RECORD_BROKER_SECRET_KEY'),
      })
    })
  })
})
