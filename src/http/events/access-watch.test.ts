import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fastify } from 'fastify'
import { expect, it } from 'vitest'
import { temporarySqlite } from '../../../test/support/databases.ts'
import { Caller, EVERYTHING } from '../../access/caller.ts'
import { AccessError } from '../../access/errors.ts'
import { KeyRing } from '../../access/key-ring.ts'
import { ProjectDirectory } from '../../access/projects/project-directory.ts'
import { ApiTokens } from '../../access/tokens/api-tokens.ts'
import type { Database } from '../../db/database.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { registerAuthentication } from '../access/authenticate.ts'
import type { CallerSource } from '../access/caller-source.ts'
import { secretSource } from '../access/secret-source.ts'
import { AUTHENTICATED } from '../access/security.ts'
import { watchAccess } from './access-watch.ts'

/** An app with one way in. */
function appWith(source: CallerSource, database: Database, stack: AsyncDisposableStack) {
  const app = fastify()
  stack.defer(() => app.close())
  registerAuthentication(app, {
    sources: [source],
    projects: new ProjectDirectory(database),
    demandsCredential: () => true,
  })
  return app
}

it('ends a long response when its token is revoked', async () => {
  await using stack = new AsyncDisposableStack()
  const { database, close } = await temporarySqlite()
  stack.defer(close)
  const tokens = stack.use(new ApiTokens(database, { keys: new KeyRing([randomBytes(32)]) }))
  const all = tokens.in(ProjectScope.ALL)
  const rights = { project: 'default', scopes: ['conversions:read' as const], read: ['**'], write: ['**'] }
  const { token, secret } = await all.create(rights, { name: 'ci', createdBy: 'test', lifetimeMs: undefined })
  const app = appWith(secretSource(tokens), database, stack)
  const watching = Promise.withResolvers<void>()
  app.get('/long', { schema: { security: AUTHENTICATED } }, async (request) => {
    using watch = watchAccess(request, 5)
    watching.resolve()
    await once(watch.ended, 'abort')
    return watch.ended.reason.message
  })
  const response = app.inject({ url: '/long', headers: { authorization: `Bearer ${secret}` } }).then()
  await watching.promise
  await all.revoke(token.id)
  expect((await response).body).toBe('the credential was revoked')
})

it('ends the stream of all events when a token of an issuer has expired, and leaves that of a job', async () => {
  await using stack = new AsyncDisposableStack()
  const { database, close } = await temporarySqlite()
  stack.defer(close)
  const workload = new Caller({
    identity: { kind: 'workload', subject: 'ci', issuer: 'https://issuer.example' },
    scopes: ['conversions:read'],
    projectScope: ProjectScope.of('default'),
    access: EVERYTHING,
  })
  let requests = 2
  const identify = async () => {
    if (requests-- > 0) return workload
    throw new AccessError('CREDENTIAL_REJECTED', 'it has expired')
  }
  const app = appWith({ identify }, database, stack)
  const jobEnded = Promise.withResolvers<void>()
  for (const url of ['/v1/events', '/v1/conversions/:id/events']) {
    app.get(url, { schema: { security: AUTHENTICATED } }, async (request) => {
      using watch = watchAccess(request, 5)
      await Promise.race([once(watch.ended, 'abort'), jobEnded.promise])
      return watch.ended.aborted
    })
  }
  const headers = { authorization: 'Bearer token' }
  const ofJob = app.inject({ url: '/v1/conversions/1/events', headers }).then()
  const ofAll = app.inject({ url: '/v1/events', headers }).then()
  expect((await ofAll).json()).toBe(true)
  jobEnded.resolve()
  expect((await ofJob).json()).toBe(false)
})

it('looks at a credential without using it', async () => {
  await using stack = new AsyncDisposableStack()
  const { database, close } = await temporarySqlite()
  stack.defer(close)
  const person = new Caller({
    identity: { kind: 'person', subject: 'alice', issuer: 'https://issuer.example' },
    scopes: ['conversions:read'],
    projectScope: ProjectScope.of('default'),
    access: EVERYTHING,
  })
  const purposes: string[] = []
  const identify: CallerSource['identify'] = async (_presented, _request, purpose) => {
    purposes.push(purpose)
    return purposes.length < 3 ? person : undefined
  }
  const app = appWith({ identify }, database, stack)
  app.get('/long', { schema: { security: AUTHENTICATED } }, async (request) => {
    using watch = watchAccess(request, 5)
    await once(watch.ended, 'abort')
    return purposes.slice(0, 3)
  })
  expect((await app.inject('/long')).json()).toEqual(['request', 'check', 'check'])
})
