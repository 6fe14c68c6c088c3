import { fastify } from 'fastify'
import { afterAll, describe, expect, it } from 'vitest'
import { temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { UNSTORED_DEFAULT_PROJECT } from '../../access/projects/project.ts'
import { registerAuthentication } from './authenticate.ts'
import { operatorToken } from './operator-token.ts'
import { AUTHENTICATED, PUBLIC, requires } from './security.ts'

const TOKEN = 'a-token-of-some-length'

/** A server with the authentication alone. */
function server() {
  const app = fastify()
  registerAuthentication(app, {
    sources: [operatorToken(TOKEN)],
    projects: { get: async (name) => (name === 'default' ? UNSTORED_DEFAULT_PROJECT : undefined) },
    demandsCredential: () => true,
  })
  return app
}

describe('a route', () => {
  it('without `security` keeps the server from starting, also one of a plugin', async () => {
    const app = server()
    app.get('/declared', { schema: { security: PUBLIC } }, async () => 'public')
    await app.register(async (plugin) => {
      plugin.get('/forgotten', async () => 'open')
    })
    await expect(app.ready()).rejects.toThrow(/\/forgotten/)
    await app.close()
  })

  it('is open to everybody only if it says so', async () => {
    const app = server()
    app.get('/public', { schema: { security: PUBLIC } }, async () => 'public')
    app.get('/any', { schema: { security: AUTHENTICATED } }, async ({ caller }) => caller.identity.kind)
    app.get(
      '/scope',
      { schema: { security: requires('records:read') } },
      async ({ caller }) => caller.project,
    )
    const status = async (url: string, authorization?: string) =>
      (await app.inject({ url, headers: authorization ? { authorization } : {} })).statusCode
    expect(await status('/public')).toBe(200)
    for (const url of ['/any', '/scope', '/unknown', '/public/', '/%2fpublic']) {
      expect([url, await status(url)]).toEqual([url, 401])
      expect([url, await status(url, 'Bearer wrong')]).toEqual([url, 401])
    }
    expect(await status('/any', `Bearer ${TOKEN}`)).toBe(200)
    expect(await status('/scope', `bearer   ${TOKEN} `)).toBe(200)
    expect(await status('/any', `Basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}`)).toBe(401)
    await app.close()
  })
})

describe('every route of the broker', async () => {
  const database = await temporarySqlite()
  const api = await JobApi.open(database, {}, { token: TOKEN })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await database.close()
  })

  it('names a scope in the API document, or is public', async () => {
    const { paths } = (await api.app.inject('/openapi.json')).json()
    const open = Object.entries<Record<string, { security?: Record<string, string[]>[] }>>(paths)
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, { security }]) => ({ path, method, security })),
      )
      .filter(({ security }) => security === undefined || security.length === 0)
      .map(({ path }) => path)
    expect(open).toEqual(['/healthz', '/readyz'])
  })
})
