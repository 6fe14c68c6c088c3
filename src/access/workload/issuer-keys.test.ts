import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createKey } from '../../../test/support/oidc/signing-key.ts'
import { AUDIENCE, TokenIssuer } from '../../../test/support/oidc/token-issuer.ts'
import { GITHUB_CLAIMS } from '../../../test/support/oidc/workload-claims.ts'
import { IssuerConnections } from '../../app/access/issuer-connections.ts'
import {
  FAILURE_COOLDOWN_MS,
  KEYS_FRESH_MS,
  KEYS_MAX_AGE_MS,
  UNKNOWN_KEY_COOLDOWN_MS,
} from './issuer-keys.ts'
import { WorkloadIdentities } from './workload-identities.ts'
import { parseWorkloadPolicies } from './workload-policy.ts'

const stack = new AsyncDisposableStack()
const connections = stack.use(new IssuerConnections({ ca: undefined }))
let healthy: TokenIssuer
beforeAll(async () => {
  healthy = stack.use(await TokenIssuer.start())
})
afterAll(() => stack.disposeAsync())

let issuer: TokenIssuer
let identities: WorkloadIdentities
let passedMs: number
let failures: string[]
beforeEach(async () => {
  issuer = stack.use(await TokenIssuer.start())
  passedMs = 0
  failures = []
  const policies = [issuer, healthy].map(({ url }, index) => ({
    name: `policy ${index}`,
    issuer: url,
    audience: AUDIENCE,
    conditions: { repository_id: GITHUB_CLAIMS.repository_id },
    scopes: ['records:read'],
  }))
  identities = new WorkloadIdentities({
    policies: parseWorkloadPolicies(JSON.stringify(policies)),
    connect: (connection) => connections.connect(connection, 'RECORD_BROKER_OIDC_POLICIES'),
    onFailure: (_, error) => failures.push((error as Error).message),
    now: () => Date.now() + passedMs,
  })
})

/** A new token, issued at the time of the broker. */
const token = (from = issuer, claims: object = {}) => {
  const now = Math.floor((Date.now() + passedMs) / 1000)
  return from.sign({
    ...GITHUB_CLAIMS,
    iat: now,
    nbf: now,
    exp: now + 3600,
    jti: String(Math.random()),
    ...claims,
  })
}
const identify = async (text?: string) =>
  (await identities.identify(text ?? (await token())))?.identity.subject
/** The number of times that the keys were read. */
const reads = () => issuer.log.filter((line) => line === 'GET /keys').length
const respondWith = (status: number) => {
  issuer.override = (_, response) => void response.writeHead(status).end()
}
const unavailable = expect.objectContaining({ code: 'ISSUER_UNAVAILABLE', retryAfterMs: expect.any(Number) })
const unknownKey = expect.objectContaining({
  code: 'CREDENTIAL_REJECTED',
  message: expect.stringContaining('no such key'),
})

it('accepts a new key at once, and the former one as long as the issuer serves it', async () => {
  const before = await token()
  await identify()
  passedMs += UNKNOWN_KEY_COOLDOWN_MS
  const [former] = issuer.served
  await issuer.rotate()
  if (former) issuer.served.push(former)
  expect(await identify()).toBe(GITHUB_CLAIMS.sub)
  expect(await identify(before)).toBe(GITHUB_CLAIMS.sub)
  expect(reads()).toBe(2)
  passedMs += UNKNOWN_KEY_COOLDOWN_MS
  await issuer.rotate()
  await identify()
  await expect(identify(`${before}`.replace(/\.[^.]+$/, '.AA'))).rejects.toEqual(unknownKey)
})

it('reads the keys once for any number of tokens with unknown keys', async () => {
  await identify()
  passedMs += UNKNOWN_KEY_COOLDOWN_MS
  const forged = await Promise.all(
    Array.from({ length: 20 }, (_, n) => issuer.sign(GITHUB_CLAIMS, { kid: `unknown-${n}` })),
  )
  const outcomes = await Promise.allSettled(forged.map((text) => identities.identify(text)))
  expect(outcomes.map((one) => one.status === 'rejected' && one.reason)).toEqual(forged.map(() => unknownKey))
  for (const text of forged) await expect(identities.identify(text)).rejects.toEqual(unknownKey)
  expect(reads()).toBe(2)
  expect(await identify()).toBe(GITHUB_CLAIMS.sub)
})

it('reads keys that are in use again without letting anybody wait', async () => {
  await identify()
  passedMs += KEYS_FRESH_MS
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  issuer.override = async (_, response) => {
    asked.resolve()
    await answer.promise
    response.writeHead(500).end()
  }
  expect(await identify()).toBe(GITHUB_CLAIMS.sub)
  await asked.promise
  expect(await identify()).toBe(GITHUB_CLAIMS.sub)
  answer.resolve()
})

it('uses keys while the issuer is down until they are too old, and other issuers all the time', async () => {
  await identify()
  respondWith(500)
  passedMs += KEYS_MAX_AGE_MS - 1000
  expect(await identify()).toBe(GITHUB_CLAIMS.sub)
  passedMs += 1000
  const known = await token()
  await expect(identify(known)).rejects.toEqual(unavailable)
  expect(await identify(await token(healthy))).toBe(GITHUB_CLAIMS.sub)
  issuer.override = undefined
  passedMs += FAILURE_COOLDOWN_MS
  expect(await identify(known)).toBe(GITHUB_CLAIMS.sub)
})

it('accepts no token any more that it has verified with keys that are too old by now', async () => {
  await identify()
  respondWith(500)
  passedMs += KEYS_MAX_AGE_MS - 1000
  const verified = await token()
  expect(await identify(verified)).toBe(GITHUB_CLAIMS.sub)
  passedMs += 1000
  await expect(identify(verified)).rejects.toEqual(unavailable)
})

it('asks an issuer that is down once in some seconds, and says when', async () => {
  respondWith(503)
  const texts = await Promise.all(Array.from({ length: 5 }, () => token()))
  const outcomes = await Promise.allSettled(texts.map((text) => identities.identify(text)))
  expect(outcomes.map((one) => one.status === 'rejected' && one.reason)).toEqual(texts.map(() => unavailable))
  await expect(identify()).rejects.toEqual(unavailable)
  await expect(identify()).rejects.not.toThrow(/eyJ/)
  expect(issuer.log).toHaveLength(1)
  expect(failures).toEqual([expect.stringContaining('status 503')])
  issuer.override = undefined
  passedMs += FAILURE_COOLDOWN_MS
  expect(await identify()).toBe(GITHUB_CLAIMS.sub)
})

it('says that the issuer is down if it cannot ask for the key of a token', async () => {
  await identify()
  respondWith(500)
  passedMs += UNKNOWN_KEY_COOLDOWN_MS
  const text = await issuer.sign(GITHUB_CLAIMS, { kid: 'new' })
  await expect(identify(text)).rejects.toEqual(unavailable)
  await expect(identify(text)).rejects.toEqual(unavailable)
  expect(await identify()).toBe(GITHUB_CLAIMS.sub)
})

it('drops a key that the issuer withdrew', async () => {
  const stolen = await token()
  await identify(stolen)
  await issuer.rotate()
  passedMs += KEYS_FRESH_MS
  await identify()
  await expect(identities.identify(stolen)).rejects.toEqual(unknownKey)
})

it('chooses among several keys by the id, and refuses a token that does not say which', async () => {
  const another = await createKey('another', 'RS256')
  issuer.served.push(another.jwk)
  expect(await identify()).toBe(GITHUB_CLAIMS.sub)
  const text = await issuer.sign(GITHUB_CLAIMS, { kid: undefined })
  await expect(identify(text)).rejects.toThrow('does not say by which key')
})
