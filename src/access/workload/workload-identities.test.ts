import { generateKeyPairSync, sign } from 'node:crypto'
import { CompactEncrypt, exportSPKI, importJWK, type JWK, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AUDIENCE, TokenIssuer } from '../../../test/support/oidc/token-issuer.ts'
import {
  GITHUB_CLAIMS,
  GITLAB_CLAIMS,
  KUBERNETES_CLAIMS,
} from '../../../test/support/oidc/workload-claims.ts'
import { IssuerConnections } from '../../app/access/issuer-connections.ts'
import { WorkloadIdentities } from './workload-identities.ts'
import { parseWorkloadPolicies } from './workload-policy.ts'

const stack = new AsyncDisposableStack()
const connections = stack.use(new IssuerConnections({ ca: undefined }))
let issuer: TokenIssuer
beforeAll(async () => {
  issuer = stack.use(await TokenIssuer.start())
})
afterAll(() => stack.disposeAsync())

/** The policies of a team, whose repository and branch are known by ids. */
const policy = (fields: object = {}) => ({
  name: 'build',
  issuer: issuer.url,
  audience: AUDIENCE,
  conditions: { repository_id: '740281394', ref: 'refs/heads/main' },
  project: 'team-a',
  scopes: ['conversions:write'],
  write: ['registry.example/team-a/**'],
  ...fields,
})
const open = (...policies: object[]) =>
  new WorkloadIdentities({
    policies: parseWorkloadPolicies(JSON.stringify(policies)),
    connect: (connection) => connections.connect(connection, 'RECORD_BROKER_OIDC_POLICIES'),
  })
let identities: WorkloadIdentities
beforeEach(() => {
  identities = open(policy())
})

const rejected = (reason: string) =>
  expect.objectContaining({ code: 'CREDENTIAL_REJECTED', message: expect.stringContaining(reason) })
const denied = (reason: string) =>
  expect.objectContaining({ code: 'ACCESS_DENIED', message: expect.stringContaining(reason) })
const now = () => Math.floor(Date.now() / 1000)
const github = (claims: object = {}) => issuer.sign({ ...GITHUB_CLAIMS, ...claims })

describe('a token of a workload', () => {
  it('of GitHub Actions gets the project and the scopes of its policy', async () => {
    const caller = await identities.identify(await github())
    expect(caller?.identity).toEqual({ kind: 'workload', subject: GITHUB_CLAIMS.sub, issuer: issuer.url })
    expect([caller?.project, caller?.isAdmin, caller?.projectScope.seesAll]).toEqual(['team-a', false, false])
    expect([...(caller?.scopes ?? [])]).toEqual(['conversions:write'])
    expect(caller?.access.write.map(({ texts }) => texts)).toEqual([['registry.example/team-a/**']])
  })

  it('of GitLab and of Kubernetes is recognised by ids and nested claims', async () => {
    const both = open(
      policy({ name: 'gitlab', conditions: { project_id: '20', ref_protected: 'true' }, project: 'gitlab' }),
      policy({
        name: 'kubernetes',
        conditions: {
          '/kubernetes.io/serviceaccount/uid': KUBERNETES_CLAIMS['kubernetes.io'].serviceaccount.uid,
        },
        project: 'kubernetes',
      }),
    )
    expect((await both.identify(await issuer.sign(GITLAB_CLAIMS)))?.project).toBe('gitlab')
    // The API server lists audiences.
    const token = await issuer.sign(
      { ...KUBERNETES_CLAIMS, aud: ['https://other.example', AUDIENCE] },
      { typ: undefined },
    )
    expect((await both.identify(token))?.project).toBe('kubernetes')
  })

  it('gets what the first policy says whose conditions it fulfils', async () => {
    const several = open(
      policy({
        name: 'release',
        conditions: { repository_id: '740281394', ref_type: 'tag' },
        scopes: ['admin'],
        project: 'default',
      }),
      policy({
        name: 'any',
        conditions: { repository_owner_id: ['1', '65001823'] },
        scopes: ['records:read'],
      }),
      policy({ name: 'later', scopes: ['records:delete'] }),
    )
    const scopesOf = async (token: string) => [...((await several.identify(token))?.scopes ?? [])]
    expect(await scopesOf(await github())).toEqual(['records:read'])
    expect(await scopesOf(await github({ ref_type: 'tag' }))).toEqual(['admin'])
  })

  it('is verified once in a while, and its issuer is asked for keys once', async () => {
    const asked = issuer.log.length
    const token = await github()
    const [first, ...others] = await Promise.all([1, 2, 3].map(() => identities.identify(token)))
    expect(await identities.identify(token)).toEqual(first)
    expect(others).toHaveLength(2)
    expect(issuer.log.slice(asked)).toEqual(['GET /.well-known/openid-configuration', 'GET /keys'])
  })

  it.each(['ES256', 'PS256', 'EdDSA'])('may be signed with %s', async (algorithm) => {
    await using other = await TokenIssuer.start()
    await other.rotate(algorithm)
    const token = await other.sign(GITHUB_CLAIMS)
    expect((await open(policy({ issuer: other.url })).identify(token))?.project).toBe('team-a')
  })
})

describe('no policy accepts', () => {
  it.each([
    ['a repository that took over the name', { repository_id: '999' }],
    ['another type of the claim', { repository_id: 740281394 }],
    ['a list with the value', { repository_id: ['740281394'] }],
    ['another branch', { ref: 'refs/heads/Main' }],
    ['a longer branch', { ref: 'refs/heads/main2' }],
  ])('%s', async (_, claims) => {
    await expect(identities.identify(await github(claims))).rejects.toEqual(denied('repository_id'))
  })

  it('a token without the claim, and says so without the values', async () => {
    const token = await github({ repository_id: undefined })
    await expect(identities.identify(token)).rejects.toEqual(
      denied('look at ref, repository_id; the token has no repository_id'),
    )
    await expect(identities.identify(token)).rejects.not.toThrow(/740281394|eyJ/)
  })

  it('a renamed repository where the policy names it, or an object where it expects a text', async () => {
    const named = open(policy({ conditions: { repository: 'octo-org/octo-repo' } }))
    await expect(named.identify(await github({ repository: 'octo-org/new-name' }))).rejects.toEqual(
      denied('repository'),
    )
    const nested = open(policy({ conditions: { '/kubernetes.io/serviceaccount/uid': 'u' } }))
    for (const value of [{ serviceaccount: 'u' }, 'u', null, [{ uid: 'u' }], { __proto__: null }])
      await expect(
        nested.identify(await issuer.sign({ ...KUBERNETES_CLAIMS, 'kubernetes.io': value })),
      ).rejects.toEqual(denied('uid'))
    const inherited = open(policy({ conditions: { '/constructor/name': 'Object' } }))
    await expect(inherited.identify(await github())).rejects.toEqual(
      denied('the token has no /constructor/name'),
    )
  })

  it('a renamed repository does not matter where the policy has its id', async () => {
    expect(await identities.identify(await github({ repository: 'new/name' }))).toBeDefined()
  })
})

describe('a token is rejected', () => {
  it.each([
    ['that has expired', () => ({ exp: now() - 60, iat: now() - 3600 }), 'expired'],
    ['that is not valid yet', () => ({ nbf: now() + 120 }), 'not valid yet'],
    ['that comes from the future', () => ({ iat: now() + 120 }), 'iat'],
    ['that is older than a day', () => ({ iat: now() - 90_000, exp: now() + 60 }), 'more than 24 hours ago'],
    ['that is valid for longer than a day', () => ({ exp: now() + 90_000 }), '24 hours'],
    ['without an end', () => ({ exp: undefined }), 'exp'],
    ['without a beginning', () => ({ iat: undefined }), 'iat'],
    ['without a subject', () => ({ sub: undefined }), 'sub'],
    ['with a subject that is no text', () => ({ sub: 7 }), 'sub'],
    ['with a huge subject', () => ({ sub: 's'.repeat(1001) }), 'subject'],
    ['for another audience', () => ({ aud: 'https://other.example' }), 'audience'],
    ['for no audience', () => ({ aud: undefined }), 'aud'],
    ['for an audience that is written otherwise', () => ({ aud: `${AUDIENCE}/` }), 'audience'],
  ])('%s', async (_, claims, reason) => {
    await expect(identities.identify(await github(claims()))).rejects.toEqual(rejected(reason))
  })

  it('of another type, with critical extensions, or with a changed part', async () => {
    const token = await issuer.sign(GITHUB_CLAIMS, { typ: 'logout+jwt' })
    await expect(identities.identify(token)).rejects.toEqual(rejected('another type'))
    const [, payload = '', signature = ''] = (await github()).split('.')
    const header = (fields: object) => Buffer.from(JSON.stringify(fields)).toString('base64url')
    const crit = header({ alg: 'RS256', kid: 'key-1', crit: ['exp'], exp: 1 })
    await expect(identities.identify(`${crit}.${payload}.${signature}`)).rejects.toEqual(
      rejected('malformed'),
    )
    const unencoded = header({ alg: 'RS256', kid: 'key-1', crit: ['b64'], b64: false })
    await expect(identities.identify(`${unencoded}.${payload}.${signature}`)).rejects.toEqual(rejected(''))
    const changed = header({
      ...GITHUB_CLAIMS,
      iss: issuer.url,
      aud: AUDIENCE,
      iat: now(),
      exp: now() + 60,
      ref: 'x',
    })
    const [original = ''] = (await github()).split('.')
    await expect(identities.identify(`${original}.${changed}.${signature}`)).rejects.toEqual(
      rejected('signature'),
    )
  })

  it('that is not signed, or signed with a public key as the secret', async () => {
    const claims = { ...GITHUB_CLAIMS, iss: issuer.url, aud: AUDIENCE, iat: now(), exp: now() + 60 }
    const unsigned = new UnsecuredJWT(claims).encode()
    for (const text of [unsigned, `${unsigned}AA`]) expect(await outcome(text)).toMatch(/undefined|algorithm/)
    const [jwk = {}] = issuer.served
    const pem = await exportSPKI((await importJWK(jwk, 'RS256', { extractable: true })) as CryptoKey)
    for (const secret of [pem, jwk.n ?? '', JSON.stringify(jwk)]) {
      const forged = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
        .sign(Buffer.from(secret))
      await expect(identities.identify(forged)).rejects.toEqual(rejected('algorithm'))
    }
  })

  it('whose header names another algorithm than its key has', async () => {
    const [, payload, signature] = (await github()).split('.')
    for (const alg of ['PS256', 'ES256', 'RS512', 'none', 'HS256', 'rs256', '']) {
      const header = Buffer.from(JSON.stringify({ alg, kid: 'key-1' })).toString('base64url')
      await expect(identities.identify(`${header}.${payload}.${signature}`)).rejects.toEqual(rejected(''))
    }
  })

  it('whose key is too short or damaged', async () => {
    await using other = await TokenIssuer.start()
    const keys = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const claims = { ...GITHUB_CLAIMS, iss: other.url, aud: AUDIENCE, iat: now(), exp: now() + 60 }
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const signed = `${part({ alg: 'RS256', kid: 'short' })}.${part(claims)}`
    const signature = sign('sha256', Buffer.from(signed), keys.privateKey).toString('base64url')
    const damaged = { kty: 'RSA', kid: 'damaged', n: 'AA', e: '!' }
    other.served.push({ ...keys.publicKey.export({ format: 'jwk' }), kid: 'short' } as JWK, damaged)
    const identities = open(policy({ issuer: other.url }))
    await expect(identities.identify(`${signed}.${signature}`)).rejects.toEqual(rejected('its key'))
    const token = await other.sign(GITHUB_CLAIMS, { kid: 'damaged' })
    await expect(identities.identify(token)).rejects.toEqual(rejected('its key'))
    expect(await identities.identify(await other.sign(GITHUB_CLAIMS))).toBeDefined()
  })

  it('that brings its own key along', async () => {
    await using attacker = await TokenIssuer.start()
    const [jwk] = attacker.served
    const headers: Readonly<Record<string, unknown>>[] = [
      { jwk },
      { jku: attacker.jwksUri },
      { x5u: attacker.jwksUri },
      { x5c: ['AA=='] },
    ]
    for (const header of headers) {
      const token = await attacker.sign({ ...GITHUB_CLAIMS, iss: issuer.url }, { kid: 'key-1', ...header })
      await expect(identities.identify(token)).rejects.toEqual(rejected('signature'))
    }
    expect(attacker.log).toEqual([])
  })
})

/** What became of a token, as a text. */
const outcome = (token: string) => identities.identify(token).then(String, String)

describe('a text is none of a configured issuer', () => {
  it('if its issuer is another one, or spelled otherwise', async () => {
    const { host } = new URL(issuer.url)
    for (const iss of [
      `${issuer.url}/`,
      issuer.url.toUpperCase(),
      `https://${host}`,
      `http://x@${host}`,
      [issuer.url],
      undefined,
      '__proto__',
    ])
      expect(await identities.identify(await github({ iss }))).toBeUndefined()
  })

  it('if it is encrypted, an API token, or nonsense', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const encrypted = await new CompactEncrypt(Buffer.from(await github()))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })
      .encrypt(publicKey)
    const token = await github()
    for (const text of [
      encrypted,
      '',
      'rb_token',
      'eyJ.e30.',
      'eyJ.bm9uZQ.AA',
      `${token} `,
      `${token}.`,
      token.slice(3),
    ])
      expect([text, await identities.identify(text)]).toEqual([text, undefined])
  })

  it('if it is longer than any token, whose parts are not even read', async () => {
    expect(await identities.identify(await github({ padding: 'x'.repeat(8192) }))).toBeUndefined()
    const started = performance.now()
    expect(await identities.identify(`eyJ${'a'.repeat(50_000_000)}.e30.AA`)).toBeUndefined()
    expect(performance.now() - started).toBeLessThan(1000)
  })
})
