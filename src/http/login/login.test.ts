import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, temporarySqlite } from '../../../test/support/databases.ts'
import { JobApi } from '../../../test/support/job-api.ts'
import { CookieBrowser, type Send } from '../../../test/support/oidc/cookie-browser.ts'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type ClientAuthentication,
  LoginProvider,
} from '../../../test/support/oidc/login-provider.ts'
import { KeyRing } from '../../access/key-ring.ts'
import { LoginIssuer } from '../../access/login/login-issuer.ts'
import { LoginPolicies } from '../../access/login/login-policy.ts'
import { LoginSessions, MAX_SESSIONS_PER_PERSON } from '../../access/login/login-sessions.ts'
import { IssuerConnections } from '../../app/access/issuer-connections.ts'
import { CALLBACK_PATH } from './routes.ts'

const TOKEN = 'a-token-of-some-length'
const POLICIES = [
  { name: 'operators', groups: ['platform'], scopes: ['admin'] },
  {
    name: 'team',
    groups: ['team-a', 'team-b'],
    scopes: ['records:read', 'records:write'],
    read: ['registry.example/team/**'],
  },
  { name: 'auditor', conditions: { email: 'eve@example.com' }, scopes: ['records:read'] },
]
const PEOPLE = {
  alice: { groups: ['team-a'], email: 'alice@example.com' },
  olga: { groups: ['team-a', 'platform'], email: 'olga@example.com' },
  eve: { groups: 'none', email: 'eve@example.com' },
  mallory: { groups: ['others'], email: 'mallory@example.com' },
}

const stack = new AsyncDisposableStack()
const connections = stack.use(new IssuerConnections({ ca: undefined }))
let database: TestDatabase
beforeAll(async () => {
  database = await temporarySqlite()
  stack.defer(database.close)
})
afterAll(() => stack.disposeAsync())

const keys = new KeyRing([randomBytes(32)])
/** The log of all brokers. */
let logged = ''
const log = pino(
  new Writable({
    write(line, _, done) {
      logged += line
      done()
    },
  }),
)

/** A broker with an issuer, and a browser for each person. */
async function open(
  options: {
    readonly publicUrl?: string
    readonly authentication?: ClientAuthentication
    readonly policies?: readonly object[]
    readonly keys?: KeyRing
  } = {},
) {
  const publicUrl = new URL(options.publicUrl ?? 'https://broker.example')
  const redirectUri = new URL(CALLBACK_PATH, publicUrl)
  const provider = stack.use(
    await LoginProvider.start(PEOPLE, {
      redirectUri: redirectUri.href,
      authentication: options.authentication ?? 'client_secret_basic',
    }),
  )
  const broker = await openBroker(provider.url, { ...options, publicUrl })
  const browse = () => new CookieBrowser(broker.send)
  const logIn = async (person: string, path = '/login') => {
    provider.person = person
    const browser = browse()
    const answer = await browser.visit(new URL(path, publicUrl), isPageOfBroker(publicUrl))
    return { browser, answer }
  }
  return { ...broker, provider, publicUrl, browse, logIn }
}

async function openBroker(
  issuer: string,
  o: {
    readonly publicUrl: URL
    readonly authentication?: ClientAuthentication
    readonly policies?: readonly object[]
    readonly keys?: KeyRing
  },
) {
  const ring = o.keys ?? keys
  const login = {
    publicUrl: o.publicUrl,
    keys: ring,
    sessions: new LoginSessions(database.database, ring),
    policies: LoginPolicies.parse(JSON.stringify(o.policies ?? POLICIES), 'groups'),
    issuer: new LoginIssuer({
      issuer,
      clientId: CLIENT_ID,
      clientSecret: o.authentication === 'none' ? undefined : CLIENT_SECRET,
      scopes: 'openid profile',
      redirectUri: new URL(CALLBACK_PATH, o.publicUrl),
      fetch: connections.connect({ hosts: [new URL(issuer).host] }, 'RECORD_BROKER_LOGIN_ISSUER'),
    }),
  }
  const { app } = stack.use(
    await JobApi.open(
      database,
      {},
      { login, publicUrl: o.publicUrl, token: TOKEN, demandsCredential: true, logger: log },
    ),
  )
  const send: Send = async (url, { method, headers }) => {
    if (url.origin !== o.publicUrl.origin) {
      const response = await fetch(url, { method, headers, redirect: 'manual' })
      return { status: response.status, headers: response.headers, text: await response.text() }
    }
    const response = await app.inject({
      method: method as 'GET',
      url: `${url.pathname}${url.search}`,
      headers: { host: url.host, ...headers },
    })
    const entries = Object.entries(response.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, String(one)]),
    )
    return { status: response.statusCode, headers: new Headers(entries), text: response.body }
  }
  return { send, app, login }
}

const isPageOfBroker = (publicUrl: URL) => (url: URL) =>
  url.origin === publicUrl.origin && !url.pathname.startsWith('/login')
const isCallback = (url: URL) => url.pathname === CALLBACK_PATH
const caller = async (browser: CookieBrowser, publicUrl: URL) => {
  const { status, text } = await browser.request(new URL('/v1/caller', publicUrl))
  return status === 200 ? JSON.parse(text) : status
}
const codeOf = ({ text }: { readonly text: string }) => JSON.parse(text).code as string

describe('a person', () => {
  it.each([
    { name: 'of a confidential client', options: {} },
    {
      name: 'of a client that sends its secret in the body',
      options: { authentication: 'client_secret_post' },
    },
    { name: 'of a public client', options: { authentication: 'none' } },
    { name: 'of a broker on this machine', options: { publicUrl: 'http://127.0.0.1:8080' } },
  ] as const)('logs in, and out again, $name', async ({ options }) => {
    const { logIn, publicUrl, provider } = await open(options)
    const { browser, answer } = await logIn('alice', '/login?returnTo=/v1/records%3Flimit%3D1%23top')
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      `${publicUrl.origin}/v1/records?limit=1#top`,
    ])
    expect(await caller(browser, publicUrl)).toEqual({
      kind: 'person',
      subject: 'alice',
      issuer: provider.url,
      project: 'default',
      seesAllProjects: false,
      scopes: ['records:read', 'records:write'],
      read: [['registry.example/team/**']],
      write: [],
    })
    const copied = new Map(browser.cookies.get(publicUrl.hostname))
    const logout = await browser.request(new URL('/logout', publicUrl), {
      method: 'POST',
      headers: { origin: publicUrl.origin },
    })
    expect([logout.status, logout.text]).toEqual([204, ''])
    const left = [...(browser.cookies.get(publicUrl.hostname)?.keys() ?? [])]
    expect(left.filter((name) => name.includes('record-broker'))).toEqual([])
    browser.cookies.set(publicUrl.hostname, copied)
    expect(await caller(browser, publicUrl)).toBe(401)
  })

  it('gets what the first policy says that admits them', async () => {
    const { logIn, publicUrl } = await open()
    const { browser } = await logIn('olga')
    expect(await caller(browser, publicUrl)).toMatchObject({ scopes: ['admin'], seesAllProjects: true })
    expect(await caller((await logIn('eve')).browser, publicUrl)).toMatchObject({ scopes: ['records:read'] })
  })

  it('whom no policy admits is told which claims count, and gets no session', async () => {
    const { logIn } = await open()
    const { browser, answer } = await logIn('mallory')
    expect([answer.status, codeOf(answer)]).toEqual([403, 'ACCESS_DENIED'])
    expect(answer.text).toContain('email, groups')
    expect(answer.text).not.toMatch(/platform|team-a|eve@/)
    expect([...(browser.cookies.get('broker.example')?.keys() ?? [])]).toEqual([])
  })

  it('loses the session when the policy or the issuer changes', async () => {
    const { logIn, provider, publicUrl } = await open()
    const { browser } = await logIn('alice')
    const renewed = async (policies: readonly object[], issuer = provider.url) => {
      const { send } = await openBroker(issuer, { publicUrl, policies })
      const other = new CookieBrowser(send)
      other.cookies.set(publicUrl.hostname, new Map(browser.cookies.get(publicUrl.hostname)))
      return caller(other, publicUrl)
    }
    expect(await renewed(POLICIES)).toMatchObject({ subject: 'alice' })
    expect(await renewed(POLICIES.map((policy) => ({ ...policy, groups: ['other'] })))).toBe(401)
    expect(await renewed(POLICIES, 'https://other.example')).toBe(401)
  })
})

describe('the request to the issuer', () => {
  it('has PKCE, a state and a nonce, which are new each time', async () => {
    const { logIn, provider } = await open()
    await logIn('alice')
    await logIn('alice')
    const [first, second] = provider.authorizations.map(({ searchParams }) =>
      Object.fromEntries(searchParams),
    )
    expect(first).toEqual({
      client_id: CLIENT_ID,
      redirect_uri: 'https://broker.example/login/callback',
      response_type: 'code',
      scope: 'openid profile',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    })
    for (const name of ['code_challenge', 'state', 'nonce'] as const)
      expect(first?.[name]).not.toBe(second?.[name])
  })

  it('is bound to the browser by cookies that scripts and other sites cannot use', async () => {
    const { send, publicUrl, logIn } = await open()
    const start = await send(new URL('/login', publicUrl), { method: 'GET', headers: {} })
    expect(start.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-record-broker-login=[\w%+/=-]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ])
    expect(start.headers.get('cache-control')).toBe('no-store')
    const { answer } = await logIn('alice')
    expect(answer.headers.getSetCookie()).toContainEqual(
      expect.stringMatching(
        /^__Host-record-broker=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      ),
    )
    expect(answer.headers.getSetCookie().join()).toContain('__Host-record-broker-login=; Max-Age=0')
    const local = await open({ publicUrl: 'http://127.0.0.1:8080' })
    const plain = await local.send(new URL('/login', local.publicUrl), { method: 'GET', headers: {} })
    expect(plain.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^record-broker-login=.*; HttpOnly; SameSite=Lax$/),
    ])
  })
})

describe('a login is not completed', () => {
  const expectFailure = async (answer: Promise<{ status: number; text: string; headers: Headers }>) => {
    const { status, text, headers } = await answer
    expect([status, JSON.parse(text).code]).toEqual([400, 'LOGIN_FAILED'])
    expect(headers.getSetCookie().join()).not.toMatch(/record-broker=\w/)
    expect(headers.get('content-type')).toContain('application/problem+json')
  }

  it('in another browser than it began in, nor twice', async () => {
    const { provider, browse, publicUrl } = await open()
    provider.person = 'alice'
    const victim = browse()
    const answer = await victim.visit(new URL('/login', publicUrl), isCallback)
    const callback = new URL(answer.headers.get('location') ?? '')
    await expectFailure(browse().request(callback))
    const other = browse()
    await other.visit(new URL('/login', publicUrl), isCallback)
    await expectFailure(other.request(callback))
    const cookies = new Map(victim.cookies.get(publicUrl.hostname))
    expect((await victim.request(callback)).status).toBe(303)
    await expectFailure(victim.request(callback))
    // The code is of no use, either.
    const thief = browse()
    thief.cookies.set(publicUrl.hostname, cookies)
    await expectFailure(thief.request(callback))
  })

  it('with the code of somebody else, or with another state', async () => {
    const { provider, browse, publicUrl } = await open()
    const callbackOf = async (browser: CookieBrowser, person: string) => {
      provider.person = person
      const answer = await browser.visit(new URL('/login', publicUrl), isCallback)
      return new URL(answer.headers.get('location') ?? '')
    }
    const change = (url: URL, values: Record<string, string | undefined>) => {
      const changed = new URL(url)
      for (const [name, value] of Object.entries(values))
        if (value === undefined) changed.searchParams.delete(name)
        else changed.searchParams.set(name, value)
      return changed
    }
    const attack = await callbackOf(browse(), 'mallory')
    const changes = [
      { code: attack.searchParams.get('code') ?? '' },
      { state: attack.searchParams.get('state') ?? '' },
      { state: undefined },
      { code: undefined },
      { code: 'x'.repeat(5000) },
      { iss: 'https://evil.example' },
      { error: '<script>alert(1)</script>', error_description: '<script>alert(1)</script>' },
    ]
    for (const values of changes) {
      const victim = browse()
      const url = change(await callbackOf(victim, 'alice'), values)
      const answer = await victim.request(url)
      await expectFailure(Promise.resolve(answer))
      expect(answer.text).not.toContain('script')
      expect(await caller(victim, publicUrl)).toBe(401)
    }
  })

  it('with a cookie that this broker did not write', async () => {
    const { provider, browse, publicUrl } = await open()
    provider.person = 'alice'
    const browser = browse()
    const answer = await browser.visit(new URL('/login', publicUrl), isCallback)
    const callback = new URL(answer.headers.get('location') ?? '')
    const stranger = await openBroker(provider.url, { publicUrl, keys: new KeyRing([randomBytes(32)]) })
    const other = new CookieBrowser(stranger.send)
    other.cookies.set(publicUrl.hostname, new Map(browser.cookies.get(publicUrl.hostname)))
    await expectFailure(other.request(callback))
    for (const value of ['', 'x', '%', Buffer.alloc(3000).toString('base64')])
      await expectFailure(
        browse().request(callback, { headers: { cookie: `__Host-record-broker-login=${value}` } }),
      )
  })

  it('if the issuer refuses it, and nothing that it says is repeated', async () => {
    const { logIn, provider, browse, publicUrl } = await open()
    await logIn('alice')
    provider.person = undefined
    const answer = await browse().visit(new URL('/login', publicUrl))
    await expectFailure(Promise.resolve(answer))
    expect(answer.text).not.toContain('script')
  })
})

it('an issuer that is down stops nobody but those who log in', async () => {
  const { logIn, provider, publicUrl } = await open()
  const { browser } = await logIn('alice')
  const { url } = provider
  await provider[Symbol.asyncDispose]()
  const { send } = await openBroker(url, { publicUrl })
  for (let n = 0; n < 2; n++) {
    const answer = await send(new URL('/login', publicUrl), { method: 'GET', headers: {} })
    expect([answer.status, codeOf(answer)]).toEqual([503, 'ISSUER_UNAVAILABLE'])
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  }
  expect(await caller(browser, publicUrl)).toMatchObject({ subject: 'alice' })
})

it('returns to paths of the broker only', async () => {
  const { send, publicUrl, logIn } = await open()
  const start = (returnTo: string) =>
    send(new URL(`/login?returnTo=${encodeURIComponent(returnTo)}`, publicUrl), {
      method: 'GET',
      headers: {},
    })
  for (const returnTo of [
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '\\/evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\u0000//evil.example',
    ' //evil.example',
    'javascript:alert(1)',
    'evil.example',
    '',
    '?x',
    `/${'x'.repeat(1000)}`,
    '/ä',
  ]) {
    const answer = await start(returnTo)
    expect([returnTo, answer.status, codeOf(answer)]).toEqual([returnTo, 400, 'INVALID_REQUEST'])
  }
  for (const path of [
    '/.//evil.example/',
    '/..//evil.example',
    '/@evil.example',
    '/%2f%2fevil.example',
    '/a?b=//c#d',
  ]) {
    const { answer } = await logIn('alice', `/login?returnTo=${encodeURIComponent(path)}`)
    expect([path, new URL(answer.headers.get('location') ?? '').origin]).toEqual([path, publicUrl.origin])
  }
  const twice = await send(new URL('/login?returnTo=/a&returnTo=/b', publicUrl), {
    method: 'GET',
    headers: {},
  })
  expect(twice.status).toBe(400)
})

describe('a session', () => {
  it('gets a new id at each login, whatever the browser had before', async () => {
    const { provider, browse, publicUrl, logIn } = await open()
    const first = await logIn('alice')
    const idOf = (browser: CookieBrowser) =>
      browser.cookies.get(publicUrl.hostname)?.get('__Host-record-broker')
    const known = idOf(first.browser)
    const victim = browse()
    victim.cookies.set(publicUrl.hostname, new Map([['__Host-record-broker', 'f'.repeat(43)]]))
    provider.person = 'alice'
    await victim.visit(new URL('/login', publicUrl), isPageOfBroker(publicUrl))
    expect(idOf(victim)).toMatch(/^[\w-]{43}$/)
    expect(idOf(victim)).not.toBe('f'.repeat(43))
    await first.browser.visit(new URL('/login', publicUrl), isPageOfBroker(publicUrl))
    expect(idOf(first.browser)).not.toBe(known)
  })

  it('ends when the same person begins too many others', async () => {
    const { login, logIn, publicUrl, provider } = await open()
    const { browser } = await logIn('olga')
    const session = { issuer: provider.url, subject: 'olga', policy: 'p' }
    for (let n = 0; n < MAX_SESSIONS_PER_PERSON; n++) await login.sessions.create(session)
    expect(await caller(browser, publicUrl)).toBe(401)
  })

  it('changes something for pages of the broker only', async () => {
    const { logIn, publicUrl } = await open()
    const { browser } = await logIn('alice')
    const post = async (headers: Record<string, string>, path = '/v1/records') => {
      const { status, text } = await browser.request(new URL(path, publicUrl), { method: 'POST', headers })
      return [status, text && JSON.parse(text).code]
    }
    const refused = [403, 'FOREIGN_ORIGIN']
    for (const headers of [
      {},
      { origin: 'null' },
      { origin: 'https://evil.example' },
      { origin: 'https://broker.example.evil.example' },
      { origin: 'http://broker.example' },
      { origin: 'https://broker.example:8443' },
      { origin: 'HTTPS://BROKER.EXAMPLE' },
      { origin: '' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'none' },
      { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
      { referer: 'https://broker.example/' },
    ]) {
      expect([headers, await post(headers)]).toEqual([headers, refused])
      expect([headers, await post(headers, '/logout')]).toEqual([headers, refused])
      for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
        const answer = await browser.request(new URL('/v1/records/x', publicUrl), { method, headers })
        expect([method, headers, answer.status]).toEqual([method, headers, 403])
      }
    }
    for (const headers of [{ origin: 'https://broker.example' }, { 'sec-fetch-site': 'same-origin' }])
      expect((await post(headers))[1]).not.toBe('FOREIGN_ORIGIN')
    const read = await browser.request(new URL('/v1/records', publicUrl), {
      headers: { origin: 'https://evil.example' },
    })
    expect([read.status, read.headers.get('access-control-allow-origin')]).toEqual([200, null])
  })

  it('counts on requests without another credential only, and for the name of the broker only', async () => {
    const { logIn, publicUrl } = await open()
    const { browser } = await logIn('alice')
    const url = new URL('/v1/caller', publicUrl)
    const bearer = (token: string) => browser.request(url, { headers: { authorization: `Bearer ${token}` } })
    expect(JSON.parse((await bearer(TOKEN)).text)).toMatchObject({ kind: 'operator' })
    expect((await bearer('wrong')).status).toBe(401)
    expect((await browser.request(url, { headers: { host: 'rebound.example' } })).status).toBe(421)
  })

  it('is needed, or another credential, to see who one is', async () => {
    const { browse, publicUrl } = await open()
    expect(await caller(browse(), publicUrl)).toBe(401)
    const logout = await browse().request(new URL('/logout', publicUrl), {
      method: 'POST',
      headers: { origin: publicUrl.origin },
    })
    expect(logout.status).toBe(204)
    const get = await browse().request(new URL('/logout', publicUrl))
    expect(get.status).not.toBe(204)
  })
})

it('leaves no secret in the log, whatever becomes of a login', async () => {
  const { provider, browse, publicUrl } = await open()
  logged = ''
  provider.person = 'alice'
  const [browser, other] = [browse(), browse()]
  const answer = await browser.visit(new URL('/login', publicUrl), isCallback)
  const callback = new URL(answer.headers.get('location') ?? '')
  const damaged = new URL(callback)
  damaged.searchParams.set('code', 'another-code')
  await other.visit(new URL('/login', publicUrl), isCallback)
  damaged.searchParams.set('state', provider.authorizations.at(-1)?.searchParams.get('state') ?? '')
  await other.request(damaged)
  await browser.request(callback)
  await caller(browser, publicUrl)
  expect(logged).toContain('"issuerError":"invalid_grant"')
  const secrets = [
    ...['code', 'state'].map((name) => callback.searchParams.get(name) ?? ''),
    'another-code',
    ...(browser.cookies.get(publicUrl.hostname)?.values() ?? []),
    CLIENT_SECRET,
    'eyJ',
  ]
  for (const secret of secrets) expect(logged).not.toContain(secret)
})
