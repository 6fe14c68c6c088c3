import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeDatabases, type TestDatabase } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { CredentialStore } from '../../access/credentials/credential-store.ts'
import { KeyRing } from '../../access/key-ring.ts'
import { DEFAULT_PROJECT_RULES } from '../../access/projects/project.ts'
import { ProjectDirectory } from '../../access/projects/project-directory.ts'
import { createReferenceCheck } from '../../app/access/reference-check.ts'
import { HostNames } from '../../oci/host-names.ts'
import { RegistryClient } from '../../registry/client.ts'

const PASSWORD = 'a-password-that-nobody-shows'
const OWN_ADDRESS = '127.0.0.1:1'
const OWN = new HostNames(['broker.example', OWN_ADDRESS])
const ALLOWED = ['registry.example', 'registry.example:5000', 'docker.io', ...OWN.hosts]
const PATH = '/v1/registry-credentials'

describeDatabases('registry credentials', (open) => {
  let opened: TestDatabase
  let api: JobApi
  const stack = new AsyncDisposableStack()
  beforeAll(async () => {
    opened = await open()
    const { database } = opened
    const keys = new KeyRing([randomBytes(32)])
    const registries = stack.use(
      new RegistryClient({
        allowedHosts: (host) => ALLOWED.includes(host),
        own: { names: OWN, address: OWN_ADDRESS },
      }),
    )
    api = await JobApi.open(opened, {
      names: OWN,
      assertReferenceAllowed: createReferenceCheck(registries),
      registryCredentials: new CredentialStore({ database, keys }),
    })
    for (const name of ['a', 'b']) await new ProjectDirectory(database).put(name, DEFAULT_PROJECT_RULES)
  })
  afterAll(async () => {
    await stack.disposeAsync()
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
    }
    expect((await send('GET', PATH, 'b')).json).toEqual({ items: [] })
    expect((await send('PUT', `${PATH}/docker.io`, undefined, robot)).json).toMatchObject({
      project: 'default',
    })
    const all = await send('GET', `${PATH}?limit=1`)
    expect(all.json).toMatchObject({ items: [{ project: 'a' }], next: 'a/docker.io' })
    const rest = await send('GET', `${PATH}?cursor=${all.json.next}`)
    expect(rest.json).toMatchObject({ items: [{ project: 'default', host: 'docker.io' }] })
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

  it.each([
    ['other.example', 403, 'RECORD_BROKER_REGISTRIES'],
    ['broker.example', 400, "the broker's own registry needs no credential"],
    ['embedded', 400, "the broker's own registry needs no credential"],
    ['registry', 400, 'no image can name this host'],
  ])('are not stored for %s, which no job uses with one', async (host, status, reason) => {
    const { json } = await send('PUT', `${PATH}/${host}`, 'a', robot)
    expect(json).toMatchObject({ status, code: status === 403 ? 'HOST_NOT_ALLOWED' : 'INVALID_REQUEST' })
    expect(json.detail).toContain(reason)
    expect((await send('DELETE', `${PATH}/${host}`, 'a')).status).toBe(404)
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
