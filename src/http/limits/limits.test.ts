import { type FastifyInstance, fastify } from 'fastify'
import { afterAll, describe, expect, it } from 'vitest'
import { Caller, type CallerIdentity } from '../../access/caller.ts'
import { RepositoryPatterns } from '../../access/repository-patterns.ts'
import { ProjectScope } from '../../db/project-scope.ts'
// For their declarations of the caller of a request, and of routes that read credentials.
import type {} from '../access/authenticate.ts'
import type {} from '../connection/host-check.ts'
import { problem, sendError, sendProblem } from '../problem.ts'
import { limitCallers, loadRateLimits } from './rate-limit.ts'
import type { Refusal } from './refusal.ts'
import { WrongCredentials } from './wrong-credentials.ts'

const EVERYTHING = { read: [RepositoryPatterns.EVERYTHING], write: [RepositoryPatterns.EVERYTHING] }
const stack = new AsyncDisposableStack()
afterAll(() => stack.disposeAsync())

function callerOf(identity: CallerIdentity, project = 'default'): Caller {
  return new Caller({ identity, scopes: [], projectScope: ProjectScope.of(project), access: EVERYTHING })
}

const CALLERS: Readonly<Record<string, Caller>> = {
  one: callerOf({ kind: 'token', subject: 'ci', tokenId: '1' }),
  two: callerOf({ kind: 'token', subject: 'ci', tokenId: '2' }),
  workload: callerOf({ kind: 'workload', subject: 'repo:a/b', issuer: 'https://issuer.test' }),
  sameInOtherProject: callerOf(
    { kind: 'workload', subject: 'repo:a/b', issuer: 'https://issuer.test' },
    'other',
  ),
  sameOfOtherIssuer: callerOf({ kind: 'workload', subject: 'repo:a/b', issuer: 'https://other.test' }),
  operator: callerOf({ kind: 'operator', subject: 'operator' }),
  worker: callerOf({ kind: 'worker', subject: 'worker' }),
}

/** A server with these limits, whose callers name themselves; it counts the credentials that it looked at. */
async function openServer(limits: { requests?: number; wrong?: number }) {
  const refusals: Refusal[] = []
  const counts = { lookups: 0 }
  const refused = (reason: Refusal) => () => void refusals.push(reason)
  const app: FastifyInstance = fastify({ trustProxy: '127.0.0.1' })
  stack.defer(() => app.close())
  app.setErrorHandler(sendError)
  app.decorateRequest('knownCaller', undefined)
  app.decorateRequest('caller', {
    getter() {
      return this.knownCaller as Caller
    },
  })
  await loadRateLimits(app)
  const wrong = new WrongCredentials(app, {
    perMinute: limits.wrong ?? 0,
    onRefusal: refused('wrong_credentials'),
  })
  wrong.refuseBefore()
  app.addHook('onRequest', async (request, reply) => {
    const name = request.headers.authorization
    if (name === undefined) return undefined
    counts.lookups++
    request.knownCaller = CALLERS[name]
    if (request.knownCaller) return undefined
    return sendProblem(reply, problem(401, 'UNAUTHORIZED', 'the token is wrong'))
  })
  wrong.countAfter()
  limitCallers(app, { perMinute: limits.requests ?? 0, onRefusal: refused('rate_limit') })
  app.get('/', async () => 'hello')
  app.post('/token', { config: { readsCredential: true } }, async (_request, reply) => reply.code(401).send())
  const send = (name?: string, address = '192.0.2.1') =>
    app.inject({
      url: '/',
      headers: { 'x-forwarded-for': address, ...(name !== undefined && { authorization: name }) },
    })
  const statuses = async (count: number, ...sent: Parameters<typeof send>) => {
    const all: number[] = []
    for (let n = 0; n < count; n++) all.push((await send(...sent)).statusCode)
    return all
  }
  return { app, send, statuses, refusals, counts }
}

describe('the rate limit', () => {
  it('is one for each token, workload and project, and responses tell how much is left', async () => {
    const { send, statuses, refusals } = await openServer({ requests: 3 })
    const { headers } = await send('one')
    expect(headers).toMatchObject({
      'ratelimit-limit': '3',
      'ratelimit-remaining': '2',
      'ratelimit-reset': '60',
    })
    expect(await statuses(3, 'one')).toEqual([200, 200, 429])
    const refused = await send('one', '198.51.100.7')
    expect(refused.json()).toMatchObject({
      status: 429,
      code: 'TOO_MANY_REQUESTS',
      detail: expect.stringMatching(/RECORD_BROKER_RATE_LIMIT.*continue in \d+ seconds/),
    })
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expect(refused.headers['ratelimit-remaining']).toBe('0')
    for (const name of ['two', 'workload', 'sameInOtherProject', 'sameOfOtherIssuer']) {
      expect(await statuses(4, name)).toEqual([200, 200, 200, 429])
    }
    expect(refusals).toEqual(Array(6).fill('rate_limit'))
  })

  it.each([undefined, 'operator', 'worker'])('does not apply to %s', async (name) => {
    const { statuses, send } = await openServer({ requests: 1 })
    expect(await statuses(5, name)).toEqual(Array(5).fill(200))
    expect((await send(name)).headers).not.toHaveProperty('ratelimit-limit')
  })

  it('can be disabled', async () => {
    const { statuses } = await openServer({})
    expect(await statuses(50, 'one')).toEqual(Array(50).fill(200))
  })
})

describe('wrong credentials', () => {
  it('are looked at until an address has sent too many; then none from there is', async () => {
    const { send, statuses, refusals, counts } = await openServer({ wrong: 5 })
    for (let n = 0; n < 5; n++) expect((await send(`guess-${n}`)).statusCode).toBe(401)
    const refused = await send('guess')
    expect(refused.json()).toMatchObject({
      status: 429,
      code: 'TOO_MANY_REQUESTS',
      detail: expect.stringMatching(/192\.0\.2\.1 \(RECORD_BROKER_MAX_WRONG_CREDENTIALS\)/),
    })
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    // Right or wrong: nobody learns which it would have been.
    expect(await statuses(20, 'one')).toEqual(Array(20).fill(429))
    expect(counts.lookups).toBe(5)
    expect(refusals).toEqual(Array(21).fill('wrong_credentials'))
    expect(await statuses(2)).toEqual([200, 200])
    expect(await statuses(2, 'one', '192.0.2.2')).toEqual([200, 200])
  })

  it('do not lock out those who were accepted before, until they fail themselves', async () => {
    const { send, statuses } = await openServer({ wrong: 5 })
    expect((await send('one')).statusCode).toBe(200)
    await statuses(10, 'guess')
    expect(await statuses(3, 'one')).toEqual([200, 200, 200])
    expect(await statuses(1, 'two')).toEqual([429])
  })

  it('from one network of IPv6 count together', async () => {
    const { send } = await openServer({ wrong: 5 })
    for (let n = 0; n < 5; n++) await send('guess', `2001:db8:0:1::${n}`)
    expect((await send('guess', '2001:db8:0:1:ffff::1')).statusCode).toBe(429)
    expect((await send('guess', '2001:db8:0:2::1')).statusCode).toBe(401)
  })

  it('count by address, whatever port a proxy adds to it', async () => {
    const { send } = await openServer({ wrong: 5 })
    for (let n = 0; n < 5; n++) await send('guess', `192.0.2.1:${50_000 + n}`)
    for (const address of ['192.0.2.1:1', '192.0.2.1', '[::ffff:192.0.2.1]:2']) {
      expect((await send('guess', address)).statusCode).toBe(429)
    }
    expect((await send('guess', '192.0.2.2:1')).statusCode).toBe(401)
    for (let n = 0; n < 5; n++) await send('guess', `[2001:db8:0:1::${n}]:${n}`)
    expect((await send('guess', '[2001:db8:0:1::9]:443')).statusCode).toBe(429)
    // What is no address is no address of its own.
    for (let n = 0; n < 5; n++) await send('guess', `_hidden${n}`)
    expect((await send('guess', 'unknown')).statusCode).toBe(429)
  })

  it('from this machine itself do not count, as the processes of the broker are there', async () => {
    const { app, statuses } = await openServer({ wrong: 1 })
    const send = async (headers: Record<string, string>) =>
      (await app.inject({ url: '/', headers: { authorization: 'guess', ...headers } })).statusCode
    for (let n = 0; n < 3; n++) expect(await send({})).toBe(401)
    // A proxy that is not trusted forwards others.
    expect(await send({ 'x-real-ip': '192.0.2.1' })).toBe(401)
    expect(await send({ 'x-real-ip': '192.0.2.1' })).toBe(429)
    expect(await send({})).toBe(401)
    expect(await statuses(1, 'guess')).toEqual([401])
  })

  it('in the body of a route that reads one count, too', async () => {
    const { app } = await openServer({ wrong: 2 })
    const send = async () =>
      (await app.inject({ method: 'POST', url: '/token', headers: { 'x-forwarded-for': '192.0.2.1' } }))
        .statusCode
    expect([await send(), await send(), await send()]).toEqual([401, 401, 429])
  })

  it('in the body count whatever right credentials the header has', async () => {
    const { app } = await openServer({ wrong: 2 })
    const send = async (method: 'GET' | 'POST', authorization: string) => {
      const headers = { 'x-forwarded-for': '192.0.2.1', authorization }
      return (await app.inject({ method, url: method === 'GET' ? '/' : '/token', headers })).statusCode
    }
    for (const name of ['one', 'two', 'workload']) expect(await send('GET', name)).toBe(200)
    const guesses = [await send('POST', 'one'), await send('POST', 'two'), await send('POST', 'workload')]
    expect(guesses).toEqual([401, 401, 429])
    expect(await send('GET', 'workload')).toBe(200)
  })

  it('can be allowed without a limit', async () => {
    const { statuses } = await openServer({})
    expect(await statuses(20, 'guess')).toEqual(Array(20).fill(401))
  })
})
