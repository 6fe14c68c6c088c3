import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GuardedBroker, OPERATOR_TOKEN } from '../../../test/support/guarded-broker.ts'
import { ProjectScope } from '../../db/project-scope.ts'
import { digestOf } from '../../oci/digest.ts'

const stack = new AsyncDisposableStack()
let broker: GuardedBroker
let ci: string
let reader: string

beforeAll(async () => {
  broker = stack.use(await GuardedBroker.start())
  ci = await broker.createToken('a', { scopes: ['registry:pull', 'registry:push'] })
  reader = await broker.createToken('a', { scopes: ['registry:pull'] })
})
afterAll(() => stack.disposeAsync())

const CHALLENGE = /^Bearer realm="([^"]+)",service="([^"]+)"(?:,scope="([^"]+)")?(?:,error="([^"]+)")?$/

/** Gets a token as a client does: from where the challenge says, with its scope. */
async function answerChallenge(challenge: string | null, secret: string) {
  const [, realm = '', service = '', scope] = CHALLENGE.exec(challenge ?? '') ?? []
  const url = new URL(realm)
  url.searchParams.set('service', service)
  if (scope !== undefined) url.searchParams.set('scope', scope)
  return broker.request('GET', url.href, { basic: secret })
}

const tokenFor = async (secret: string, ...scopes: string[]) => {
  const query = new URLSearchParams([
    ['service', 'record-broker'],
    ...scopes.map((scope) => ['scope', scope]),
  ])
  return (await broker.request('GET', `/auth/token?${query}`, { basic: secret })).json().token as string
}

async function pushBlob(token: string, repository: string, bytes: Buffer) {
  const path = `/v2/${repository}/blobs/uploads/?digest=${digestOf(bytes)}`
  return broker.request('POST', path, { token, body: bytes as unknown as NonNullable<RequestInit['body']> })
}

describe('a client of the registry', () => {
  it('is told where it gets a token', async () => {
    for (const path of ['/v2/', '/v2']) {
      const { status, headers } = await broker.request('GET', path)
      expect([status, headers.get('www-authenticate')]).toEqual([
        401,
        `Bearer realm="${broker.url}/auth/token",service="record-broker"`,
      ])
    }
    const scopeOf = async (method: string, path: string) =>
      CHALLENGE.exec((await broker.request(method, path)).headers.get('www-authenticate') ?? '')?.[3]
    expect(await scopeOf('GET', '/v2/a/app/manifests/v1')).toBe('repository:a/app:pull')
    expect(await scopeOf('POST', '/v2/a/app/blobs/uploads/')).toBe('repository:a/app:pull,push')
    expect(await scopeOf('DELETE', '/v2/a/app/manifests/v1')).toBe('repository:a/app:delete')
    expect(await scopeOf('GET', '/v2/_catalog')).toBe('registry:catalog:*')
    expect(await scopeOf('GET', '/v2/A"B/tags/list')).toBeUndefined()
  })

  it('pushes and pulls with a token for its API token', async () => {
    const bytes = Buffer.from('a layer')
    const first = await broker.request('POST', '/v2/a/app/blobs/uploads/')
    const issued = await answerChallenge(first.headers.get('www-authenticate'), ci)
    expect(issued.json()).toMatchObject({ expires_in: 300, issued_at: expect.stringMatching(/Z$/) })
    expect(issued.headers.get('cache-control')).toBe('no-store')
    const { token, access_token } = issued.json()
    expect(access_token).toBe(token)
    expect((await broker.request('GET', '/v2/', { token })).status).toBe(200)
    expect((await pushBlob(token, 'a/app', bytes)).status).toBe(201)
    expect((await broker.request('GET', `/v2/a/app/blobs/${digestOf(bytes)}`, { token })).body).toBe(
      'a layer',
    )
    // Basic keeps working, too.
    const read = await broker.request('GET', `/v2/a/app/blobs/${digestOf(bytes)}`, { basic: ci })
    expect(read.body).toBe('a layer')
  })

  it('logs in by POST, with its credential as a password or as a refresh token', async () => {
    for (const form of [
      { grant_type: 'password', username: 'ci', password: ci },
      { grant_type: 'refresh_token', refresh_token: ci },
    ]) {
      const body = new URLSearchParams({
        ...form,
        service: 'record-broker',
        scope: 'repository:a/app:pull',
        client_id: 'x',
      })
      const response = await broker.request('POST', '/auth/token', { body })
      expect(response.status).toBe(200)
      const { access_token: token } = response.json()
      expect((await broker.request('GET', '/v2/a/app/tags/list', { token })).status).toBe(200)
    }
    for (const body of [
      new URLSearchParams({ grant_type: 'password', username: 'ci', password: 'wrong' }),
      new URLSearchParams({ grant_type: 'password', username: 'ci', password: '' }),
      new URLSearchParams(),
    ]) {
      const refused = await broker.request('POST', '/auth/token', { body })
      expect([refused.status, refused.json().errors[0].code]).toEqual([401, 'UNAUTHORIZED'])
    }
    const refused = await broker.request('GET', '/auth/token', { basic: 'wrong' })
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      'Basic realm="record-broker"',
    ])
  })

  it('is refused scopes that are too many, or for another service', async () => {
    const many = Array.from({ length: 65 }, (_, index) => `scope=repository:a/${index}:pull`).join('&')
    expect((await broker.request('GET', `/auth/token?${many}`, { basic: ci })).status).toBe(400)
    expect((await broker.request('GET', '/auth/token?service=other', { basic: ci })).status).toBe(400)
  })
})

it('a body that is no form, or too large, is told what is expected', async () => {
  const send = async (body: string, type: string) => {
    const headers = { 'content-type': type }
    return (await broker.request('POST', '/auth/token', { body, headers })).json()
  }
  expect(await send('{}', 'application/json')).toMatchObject({
    status: 415,
    code: 'UNSUPPORTED_TYPE',
    detail: expect.stringMatching(/grant_type.*application\/x-www-form-urlencoded/),
  })
  const large = await send(`password=${'x'.repeat(40_000)}`, 'application/x-www-form-urlencoded')
  expect(large).toMatchObject({
    status: 413,
    code: 'TOO_LARGE',
    detail: expect.stringContaining('32768 bytes'),
  })
  expect(large.detail).not.toContain('RECORD_BROKER')
})

describe('a token', () => {
  it('allows what was requested, and asks for more when it is needed', async () => {
    const token = await tokenFor(ci, 'repository:a/app:pull')
    const refused = await broker.request('POST', '/v2/a/app/blobs/uploads/', { token })
    expect(refused.status).toBe(401)
    expect(CHALLENGE.exec(refused.headers.get('www-authenticate') ?? '')?.slice(3)).toEqual([
      'repository:a/app:pull,push',
      'insufficient_scope',
    ])
    const issued = await answerChallenge(refused.headers.get('www-authenticate'), ci)
    const more = issued.json().token
    expect((await broker.request('POST', '/v2/a/app/blobs/uploads/', { token: more })).status).toBe(202)
  })

  it('allows nothing that its caller may not do', async () => {
    const scopes = 'repository:a/app:pull,push,delete repository:b/app:pull,push'
    const token = await tokenFor(reader, scopes)
    expect((await broker.request('HEAD', '/v2/a/app/manifests/v1', { token })).status).toBe(404)
    // The credential of the token has no scope for this: another token would not help.
    expect((await broker.request('POST', '/v2/a/app/blobs/uploads/', { token })).status).toBe(403)
    expect((await broker.request('GET', '/v2/b/app/tags/list', { token })).status).toBe(401)
    expect((await broker.request('GET', '/v2/b/app/tags/list', { basic: reader })).status).toBe(403)
    const narrow = await broker.createToken('a', { scopes: ['registry:pull'], read: ['embedded/a/one'] })
    const limited = await tokenFor(narrow, 'repository:a/one:pull', 'repository:a/two:pull')
    expect((await broker.request('HEAD', '/v2/a/one/manifests/v1', { token: limited })).status).toBe(404)
    expect((await broker.request('HEAD', '/v2/a/two/manifests/v1', { token: limited })).status).toBe(401)
  })

  it('opens nothing but the registry', async () => {
    for (const secret of [OPERATOR_TOKEN, ci]) {
      const token = await tokenFor(secret, 'repository:a/app:pull', 'registry:catalog:*')
      for (const path of ['/v1/rules', '/v1/tokens', '/v1/audit', '/auth/token', '/metrics']) {
        expect([(await broker.request('GET', path, { token })).status, path]).toEqual([401, path])
      }
    }
  })

  it('lists the repositories that its caller may read', async () => {
    const operator = await tokenFor(
      OPERATOR_TOKEN,
      'repository:b/hidden:pull,push repository:shared:pull,push',
    )
    for (const repository of ['b/hidden', 'shared']) await pushBlob(operator, repository, Buffer.from('x'))
    const token = await tokenFor(ci, 'registry:catalog:*')
    const { repositories } = (await broker.request('GET', '/v2/_catalog', { token })).json()
    expect(repositories).toEqual(['a/app', 'shared'])
    const all = await tokenFor(OPERATOR_TOKEN, 'registry:catalog:*')
    expect((await broker.request('GET', '/v2/_catalog', { token: all })).json().repositories).toContain(
      'b/hidden',
    )
  })

  it('is not accepted if it is not one', async () => {
    const token = await tokenFor(ci, 'repository:a/app:pull')
    const { status, headers } = await broker.request('GET', '/v2/a/app/tags/list', { token: `${token}x` })
    expect([status, CHALLENGE.exec(headers.get('www-authenticate') ?? '')?.[4]]).toEqual([
      401,
      'invalid_token',
    ])
  })

  it('of a worker is held to the patterns of its project', async () => {
    const worker = await broker.registryTokens.forWorker(ProjectScope.of('a'))
    expect((await pushBlob(worker, 'a/made', Buffer.from('made'))).status).toBe(201)
    expect((await pushBlob(worker, 'b/made', Buffer.from('made'))).status).toBe(403)
    expect((await broker.request('GET', '/v2/b/hidden/tags/list', { token: worker })).status).toBe(403)
  })
})

describe('whoever may write a repository', () => {
  it('may also read it, as a push looks at what is there', async () => {
    const body = Buffer.from('pushed')
    const digest = digestOf(body)
    const writer = await broker.createToken('a', {
      scopes: ['registry:pull', 'registry:push'],
      read: [],
      write: ['embedded/a/out'],
    })
    const token = await tokenFor(writer, 'repository:a/out:pull,push repository:a/app:pull,push')
    expect((await broker.request('HEAD', `/v2/a/out/blobs/${digest}`, { token })).status).toBe(404)
    expect((await pushBlob(token, 'a/out', body)).status).toBe(201)
    const pull = await tokenFor(writer, 'repository:a/out:pull', 'registry:catalog:*')
    for (const credential of [{ token }, { token: pull }, { basic: writer }]) {
      expect((await broker.request('HEAD', `/v2/a/out/blobs/${digest}`, credential)).status).toBe(200)
    }
    expect((await broker.request('HEAD', `/v2/a/app/blobs/${digest}`, { token })).status).toBe(401)
    expect((await broker.request('HEAD', `/v2/a/app/blobs/${digest}`, { basic: writer })).status).toBe(403)
  })

  it('may not if it cannot push', async () => {
    const puller = await broker.createToken('a', { scopes: ['registry:pull'], read: [], write: ['**'] })
    expect((await broker.request('GET', '/v2/a/out/tags/list', { basic: puller })).status).toBe(403)
  })

  it('may if only its project has patterns to write', async () => {
    const write = ['embedded/drop/**']
    const init = { body: JSON.stringify({ write }), headers: { 'content-type': 'application/json' } }
    await broker.request('PUT', '/v1/projects/drop', { token: OPERATOR_TOKEN, ...init })
    const dropper = await broker.createToken('drop', { scopes: ['registry:pull', 'registry:push'] })
    const token = await tokenFor(dropper, 'repository:drop/app:pull,push')
    expect((await pushBlob(token, 'drop/app', Buffer.from('x'))).status).toBe(201)
    const pull = await tokenFor(dropper, 'repository:drop/app:pull')
    const path = `/v2/drop/app/blobs/${digestOf(Buffer.from('x'))}`
    expect((await broker.request('HEAD', path, { token: pull })).status).toBe(200)
    const reader = await broker.createToken('drop', { scopes: ['registry:pull'] })
    expect((await broker.request('HEAD', path, { basic: reader })).status).toBe(200)
  })
})

describe('a project', () => {
  it('stores no more than its quota, whatever credential pushes', async () => {
    const writer = await broker.createToken('b', { scopes: ['registry:pull', 'registry:push'] })
    const token = await tokenFor(writer, 'repository:b/app:pull,push')
    expect((await pushBlob(token, 'b/app', Buffer.alloc(40_000, 1))).status).toBe(201)
    for (const pusher of [token, writer]) {
      const refused = await pushBlob(pusher, 'b/app', Buffer.alloc(20_000, 2))
      expect([refused.status, refused.json().errors[0]]).toEqual([
        403,
        expect.objectContaining({ code: 'DENIED', detail: expect.objectContaining({ limit: 50_000 }) }),
      ])
    }
  })
})

it('the public URL is where clients get tokens', async () => {
  await using other = await GuardedBroker.start({ publicUrl: new URL('https://broker.example') })
  const { headers } = await other.request('GET', '/v2/')
  expect(headers.get('www-authenticate')).toContain('realm="https://broker.example/auth/token"')
})

it('an address that sends too many wrong credentials is refused, in the body of requests, too', async () => {
  const limits = { requestsPerMinute: 0, wrongCredentialsPerMinute: 3, maxDelayMs: 0 }
  await using other = await GuardedBroker.start({ limits })
  const send = async (password: string) => {
    const payload = String(new URLSearchParams({ grant_type: 'password', username: 'x', password }))
    // A proxy on this machine: requests without this header are from the machine itself.
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': '192.0.2.1' }
    return (await other.api.app.inject({ method: 'POST', url: '/auth/token', payload, headers })).statusCode
  }
  const statuses: number[] = []
  for (let guess = 0; guess < 5; guess++) statuses.push(await send(`guess-${guess}`))
  expect(statuses).toEqual([401, 401, 401, 429, 429])
})

it('a form without a credential gets no token, not even on a broker that demands none', async () => {
  await using open = await GuardedBroker.start({ demandsCredential: false })
  expect((await open.request('GET', '/v2/')).status).toBe(200)
  const body = new URLSearchParams({ service: 'record-broker', scope: 'repository:a/app:pull,push' })
  const headers = { origin: 'https://elsewhere.example' }
  expect((await open.request('POST', '/auth/token', { body, headers })).status).toBe(401)
})
