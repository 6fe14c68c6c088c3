import { createSecretKey, type KeyObject } from 'node:crypto'
import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import type { ProjectScope } from '../../db/project-scope.ts'
import type { Caller } from '../caller.ts'
import { AccessError } from '../errors.ts'
import type { KeyRing } from '../key-ring.ts'
import { type VerifiedCaller, VerifiedCallers } from '../verified-callers.ts'
import type { RegistryGrant } from './registry-scopes.ts'
import { callerOf, claimsOf, RegistryClaims, workerClaims } from './token-claims.ts'

/** The name of the registry in challenges, and the audience of its tokens. */
export const REGISTRY_SERVICE = 'record-broker'
/** The type in the header: a token of another purpose is never taken for one of the registry. */
const TOKEN_TYPE = 'record-broker-registry+jwt'
const ALGORITHM = 'HS256'
const PURPOSE = 'registry tokens'
const LIFETIME_S = 300
/** How far the clocks of replicas may be apart. */
const CLOCK_TOLERANCE_S = 30
const MAX_PROJECTS = 1000

/** A token for clients of the registry. */
export type IssuedToken = {
  readonly token: string
  readonly expiresInSeconds: number
  /** In milliseconds since 1970. */
  readonly issuedAt: number
}

/**
 * Short-lived tokens of the embedded registry (Docker Registry token authentication). They name the caller and what
 * it was granted, and are signed with a key that all processes of the broker derive, so that none is stored.
 */
export class RegistryTokens {
  readonly #keys: readonly [KeyObject, ...KeyObject[]]
  readonly #now: () => number
  readonly #verified: VerifiedCallers
  readonly #workers = new LRUCache<string, Promise<IssuedToken>>({ max: MAX_PROJECTS })

  /** @param now the time in milliseconds; default: the clock of this machine */
  constructor(keys: KeyRing, now: () => number = Date.now) {
    const [first, ...others] = keys.derived(PURPOSE).map((key) => createSecretKey(key))
    if (first === undefined) throw new RangeError('a key ring has at least one key')
    this.#keys = [first, ...others]
    this.#now = now
    this.#verified = new VerifiedCallers(now)
  }

  /** Issues a token that allows a caller what it was granted. */
  issue(caller: Caller, grant: RegistryGrant): Promise<IssuedToken> {
    return this.#sign(claimsOf(caller, grant))
  }

  /**
   * Returns a token for the broker's own work: within one project, whose patterns apply, or for all of them. The same
   * one is used for half of its lifetime.
   */
  async forWorker(scope: ProjectScope): Promise<string> {
    const key = scope.seesAll ? '' : scope.project
    const known = await this.#workers.get(key)
    if (known && this.#now() < known.issuedAt + (LIFETIME_S * 1000) / 2) return known.token
    const issuing = this.#sign(workerClaims(scope))
    this.#workers.set(key, issuing)
    return (await issuing).token
  }

  /**
   * Returns the caller of a token; undefined if the text is no token of the registry.
   * @throws AccessError CREDENTIAL_REJECTED
   */
  async identify(text: string): Promise<Caller | undefined> {
    if (!isRegistryToken(text)) return undefined
    return this.#verified.get(text, () => this.#verify(text))
  }

  async #sign(claims: RegistryClaims): Promise<IssuedToken> {
    const issuedAt = Math.floor(this.#now() / 1000)
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, typ: TOKEN_TYPE })
      .setAudience(REGISTRY_SERVICE)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + LIFETIME_S)
      .sign(this.#keys[0])
    return { token, expiresInSeconds: LIFETIME_S, issuedAt: issuedAt * 1000 }
  }

  async #verify(text: string): Promise<VerifiedCaller> {
    const options = {
      algorithms: [ALGORITHM],
      audience: REGISTRY_SERVICE,
      typ: TOKEN_TYPE,
      requiredClaims: ['exp', 'iat', 'sub'],
      maxTokenAge: LIFETIME_S,
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(this.#now()),
    }
    for (const key of this.#keys) {
      try {
        const { payload } = await jwtVerify(text, key, options)
        const claims = RegistryClaims.safeParse(payload)
        if (!claims.success) throw rejected('it is of another version of the broker')
        return { caller: callerOf(claims.data), until: Number(payload.exp) * 1000 }
      } catch (error) {
        // Signed with another key, before a rotation.
        if (error instanceof errors.JWSSignatureVerificationFailed) continue
        if (error instanceof errors.JWTExpired) throw rejected('it has expired')
        throw error instanceof errors.JOSEError ? rejected('it is malformed') : error
      }
    }
    throw rejected('its signature is wrong')
  }
}

function isRegistryToken(text: string): boolean {
  if (!text.startsWith('eyJ')) return false
  try {
    return decodeProtectedHeader(text).typ === TOKEN_TYPE
  } catch {
    return false
  }
}

function rejected(reason: string): AccessError {
  return new AccessError(
    'CREDENTIAL_REJECTED',
    `the registry token is not accepted: ${reason}; get a new one with the credential that it was made for`,
  )
}
