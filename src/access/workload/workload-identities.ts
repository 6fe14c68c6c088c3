import { errors, type JSONWebKeySet } from 'jose'
import type { Caller } from '../caller.ts'
import { AccessError } from '../errors.ts'
import { grantedCaller } from '../granted-caller.ts'
import { type Claims, claimAt, fulfils } from '../oidc/claim-conditions.ts'
import type { IssuerConnection, IssuerFetch } from '../oidc/issuer-fetch.ts'
import { type VerifiedCaller, VerifiedCallers } from '../verified-callers.ts'
import { fetchKeys } from './fetch-keys.ts'
import { IssuerKeys } from './issuer-keys.ts'
import { readToken } from './read-token.ts'
import { rejected, verifyToken } from './verify-token.ts'
import type { WorkloadPolicy } from './workload-policy.ts'

/** A token is verified again after this time, by the keys and the policies of then. */
const VERIFIED_MS = 60_000

/** A policy whose files have been read. */
export type LoadedPolicy = WorkloadPolicy & { readonly caPem?: string | undefined }

export type WorkloadIdentitiesOptions = {
  readonly policies: readonly LoadedPolicy[]
  readonly connect: (connection: IssuerConnection) => IssuerFetch
  readonly plainHttp?: readonly string[] | undefined
  /** Learns why the keys of an issuer could not be read. */
  readonly onFailure?: ((issuer: string, error: unknown) => void) | undefined
  /** The time in milliseconds since 1970; default: the clock of this machine. */
  readonly now?: () => number
}

type Issuer = { readonly policies: readonly LoadedPolicy[]; readonly keys: IssuerKeys }

/** The workloads that identify themselves by tokens of configured issuers. */
export class WorkloadIdentities {
  readonly #issuers: ReadonlyMap<string, Issuer>
  readonly #now: () => number
  readonly #verified: VerifiedCallers

  constructor(options: WorkloadIdentitiesOptions) {
    this.#now = options.now ?? Date.now
    this.#verified = new VerifiedCallers(this.#now)
    const byIssuer = Map.groupBy(options.policies, ({ issuer }) => issuer)
    this.#issuers = new Map(
      [...byIssuer].map(([issuer, policies]) => {
        const readKeys = keyReader(issuer, policies, options)
        const onFailure = (error: unknown) => options.onFailure?.(issuer, error)
        const now = options.now ?? (() => performance.now())
        return [issuer, { policies, keys: new IssuerKeys({ issuer, fetchKeys: readKeys, now, onFailure }) }]
      }),
    )
  }

  /**
   * Returns the caller of a token, or undefined if the text is not a token of a configured issuer.
   * @throws AccessError CREDENTIAL_REJECTED if the token is not valid, ACCESS_DENIED if no policy accepts it
   * @throws IssuerUnavailableError if the issuer cannot be asked for its keys
   */
  async identify(token: string): Promise<Caller | undefined> {
    // The issuer that the token names decides about nothing but whose keys must have signed it.
    const unverified = readToken(token)
    const issuer = unverified && this.#issuers.get(unverified.issuer)
    if (!issuer) return undefined
    return this.#verified.get(token, () => this.#verify(token, unverified.issuer, issuer))
  }

  async #verify(token: string, issuer: string, { policies, keys }: Issuer): Promise<VerifiedCaller> {
    const options = {
      issuer,
      audiences: policies.flatMap(({ audience }) => audience),
      algorithms: policies.flatMap(({ algorithms }) => algorithms),
      now: this.#now(),
    }
    const { result, usableMs } = await keys
      .use((find) => verifyToken(token, find, options))
      .catch((error: unknown) => {
        throw error instanceof errors.JWKSNoMatchingKey ? rejected('its issuer has no such key') : error
      })
    const { claims, algorithm } = result
    const policy = policies.find((one) => accepts(one, claims, algorithm))
    if (!policy) throw noPolicy(policies, claims)
    const identity = { kind: 'workload', subject: claims.sub, issuer } as const
    const until = Math.min(this.#now() + Math.min(VERIFIED_MS, usableMs), claims.exp * 1000)
    return { caller: grantedCaller(policy, identity), until }
  }
}

function accepts(policy: WorkloadPolicy, claims: Claims, algorithm: string): boolean {
  const audiences = [claims.aud].flat()
  return (
    policy.algorithms.some((one) => one === algorithm) &&
    [policy.audience].flat().some((one) => audiences.includes(one)) &&
    fulfils(claims, policy.conditions)
  )
}

/** Names claims and no values: those of the policies are none of the caller's business. */
function noPolicy(policies: readonly WorkloadPolicy[], claims: Claims): AccessError {
  const names = [...new Set(policies.flatMap(({ conditions }) => Object.keys(conditions)))].sort()
  const missing = names.filter((name) => claimAt(claims, name) === undefined)
  const lacks = missing.length === 0 ? '' : `; the token has no ${missing.join(', ')}`
  return new AccessError(
    'ACCESS_DENIED',
    `no policy accepts this identity token; those for its issuer look at ${names.join(', ')}${lacks}`,
  )
}

function keyReader(
  issuer: string,
  policies: readonly LoadedPolicy[],
  { connect, plainHttp = [] }: WorkloadIdentitiesOptions,
): () => Promise<JSONWebKeySet> {
  const { jwksUri, tokenFile, caPem } = policies[0] ?? {}
  const named = jwksUri === undefined ? [issuer] : [issuer, jwksUri]
  const fetch = connect({ ca: caPem, hosts: named.map((url) => new URL(url).host) })
  return () => fetchKeys({ issuer, jwksUri, tokenFile, plainHttp }, fetch)
}
