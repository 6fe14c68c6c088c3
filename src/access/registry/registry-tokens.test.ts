import { randomBytes } from 'node:crypto'
import { base64url, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { ProjectScope } from '../../db/project-scope.ts'
import { HostNames } from '../../oci/host-names.ts'
import { Caller } from '../caller.ts'
import { KeyRing } from '../key-ring.ts'
import { RepositoryPatterns } from '../repository-patterns.ts'
import type { Scope } from '../scope.ts'
import { grantScopes, InvalidScopeError, mayUse } from './registry-scopes.ts'
import { RegistryTokens } from './registry-tokens.ts'

const names = new HostNames(['broker.example', '127.0.0.1:8080'])
const START = Date.UTC(2026, 0, 1)

function callerWith(options: { read?: string[]; write?: string[]; scopes?: Scope[] } = {}): Caller {
  const { read = ['embedded/a/**'], write = ['broker.example/a/**'] } = options
  return new Caller({
    identity: { kind: 'token', subject: 'ci', tokenId: 'T1' },
    scopes: options.scopes ?? ['registry:pull', 'registry:push'],
    projectScope: ProjectScope.of('team-a'),
    access: { read: [new RepositoryPatterns(read)], write: [new RepositoryPatterns(write)] },
  })
}

const grantedTo = (caller: Caller, ...scopes: string[]) => {
  const { catalog, repositories } = grantScopes(caller, scopes, names)
  return { catalog, ...Object.fromEntries(repositories) }
}

describe('scopes', () => {
  it('are granted as far as the caller may have them', () => {
    const all = 'repository:a/app:pull,push,delete repository:b/app:pull,push registry:catalog:*'
    expect(grantedTo(callerWith(), all)).toEqual({ catalog: true, 'a/app': ['pull', 'push', 'delete'] })
    expect(grantedTo(callerWith({ scopes: ['registry:pull'] }), all)).toEqual({
      catalog: true,
      'a/app': ['pull'],
    })
    expect(grantedTo(callerWith({ scopes: ['registry:push'] }), all)).toEqual({
      catalog: false,
      'a/app': ['push', 'delete'],
    })
    expect(grantedTo(callerWith({ scopes: ['records:read'] }), all)).toEqual({ catalog: false })
    expect(grantedTo(callerWith({ scopes: ['admin'] }), 'repository:a/app:*')).toEqual({
      catalog: false,
      'a/app': ['pull', 'push', 'delete'],
    })
    expect(grantedTo(callerWith({ write: ['embedded/a/app'] }), 'repository:a/x:push')).toEqual({
      catalog: false,
    })
  })

  it('are merged, and what is no scope is left out', () => {
    expect(
      grantedTo(
        callerWith(),
        'repository:a/app:pull',
        'repository:a/app:push repository:a/../b:pull repository:A/x:pull repository::pull x repository:a/y:sing',
      ),
    ).toEqual({ catalog: false, 'a/app': ['pull', 'push'] })
  })

  it('are bounded', () => {
    const many = Array.from({ length: 65 }, (_, index) => `repository:a/${index}:pull`)
    const long = `repository:a/${'x'.repeat(400)}:pull`
    const large = Array.from({ length: 30 }, (_, index) => `repository:a/${index}${'x'.repeat(250)}:pull`)
    for (const scopes of [many, [long], large]) {
      expect(() => grantScopes(callerWith(), scopes, names)).toThrow(InvalidScopeError)
    }
  })
})

describe('a token', () => {
  const key = randomBytes(32)
  const ring = new KeyRing([key])
  const clock = { now: START }
  const tokens = new RegistryTokens(ring, () => clock.now)
  const issue = async (caller: Caller, ...scopes: string[]) =>
    (await tokens.issue(caller, grantScopes(caller, scopes, names))).token

  it('stands for its caller, with what was granted and nothing else', async () => {
    const caller = await tokens.identify(
      await issue(callerWith({ scopes: ['admin'] }), 'repository:a/app:pull'),
    )
    expect(caller?.identity).toEqual({ kind: 'token', subject: 'ci', tokenId: 'T1', issuer: undefined })
    expect([caller?.project, caller?.isAdmin, caller?.projectScope.seesAll]).toEqual(['team-a', false, false])
    const may = (repository: string, action: 'pull' | 'push' | 'delete') =>
      caller && mayUse(caller, repository, action, names)
    expect([may('a/app', 'pull'), may('a/app', 'push'), may('a/app', 'delete'), may('a/x', 'pull')]).toEqual([
      true,
      false,
      false,
      false,
    ])
    expect(caller?.has('records:read')).toBe(false)
  })

  it('lists what its caller may read', async () => {
    const caller = await tokens.identify(await issue(callerWith(), 'registry:catalog:*'))
    expect(caller && mayUse(caller, 'a/any', 'pull', names)).toBe(true)
    expect(caller && mayUse(caller, 'b/any', 'pull', names)).toBe(false)
    expect(caller && mayUse(caller, 'a/any', 'push', names)).toBe(false)
  })

  it('expires, and is verified again after a rotation of keys', async () => {
    const token = await issue(callerWith(), 'repository:a/app:pull')
    const rotated = new RegistryTokens(new KeyRing([randomBytes(32), key]), () => clock.now)
    expect(await rotated.identify(token)).toBeDefined()
    clock.now = START + 5 * 60_000 + 31_000
    await expect(tokens.identify(token)).rejects.toMatchObject({ code: 'CREDENTIAL_REJECTED' })
    await expect(rotated.identify(token)).rejects.toMatchObject({ code: 'CREDENTIAL_REJECTED' })
    clock.now = START
  })

  it('is not accepted with another key, algorithm, audience or type', async () => {
    const [secret] = ring.derived('registry tokens')
    const typ = 'record-broker-registry+jwt'
    const claims = {
      sub: 'x',
      kind: 'operator',
      project: 'default',
      seesAll: true,
      scopes: ['registry:pull', 'registry:push'],
      access: '*',
    }
    const sign = (header: { alg: string; typ: string }, audience: string, key: Uint8Array = secret) =>
      new SignJWT(claims)
        .setProtectedHeader(header)
        .setAudience(audience)
        .setIssuedAt(START / 1000)
        .setExpirationTime(START / 1000 + 300)
        .sign(key)
    const unsigned = new UnsecuredJWT({
      ...claims,
      aud: 'record-broker',
      iat: START / 1000,
      exp: START / 1000 + 300,
    })
    const none = base64url.encode(JSON.stringify({ alg: 'none', typ }))
    const rejected = [
      await sign({ alg: 'HS256', typ }, 'record-broker', randomBytes(32)),
      await sign({ alg: 'HS256', typ }, 'other'),
      await sign({ alg: 'HS512', typ }, 'record-broker', Buffer.concat([secret, secret])),
      `${none}.${unsigned.encode().split('.')[1]}.`,
      `${await issue(callerWith())}x`,
    ]
    expect(await tokens.identify(await sign({ alg: 'HS256', typ }, 'record-broker'))).toBeDefined()
    for (const token of rejected) {
      await expect(tokens.identify(token)).rejects.toMatchObject({ code: 'CREDENTIAL_REJECTED' })
    }
    // Those of issuers and other texts are for others to look at.
    for (const other of [await sign({ alg: 'HS256', typ: 'JWT' }, 'record-broker'), 'eyJ', 'rb_1234', '']) {
      expect(await tokens.identify(other)).toBeUndefined()
    }
  })

  it('of a worker is within one project, and is renewed', async () => {
    const first = await tokens.forWorker(ProjectScope.of('team-a'))
    expect(await tokens.forWorker(ProjectScope.of('team-a'))).toBe(first)
    const caller = await tokens.identify(first)
    expect([caller?.identity.kind, caller?.project, caller?.projectScope.seesAll, caller?.isAdmin]).toEqual([
      'worker',
      'team-a',
      false,
      false,
    ])
    expect((await tokens.identify(await tokens.forWorker(ProjectScope.ALL)))?.projectScope.seesAll).toBe(true)
    clock.now = START + 151_000
    expect(await tokens.forWorker(ProjectScope.of('team-a'))).not.toBe(first)
    clock.now = START
  })
})
