import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { AccessError } from '../errors.ts'

/** How far the clocks of issuer and broker may be apart. */
const CLOCK_TOLERANCE_S = 30
/** The longest time for which a token may be valid. Those of CI systems last for minutes or hours. */
const MAX_LIFETIME_S = 24 * 60 * 60
const MAX_SUBJECT_LENGTH = 1000
/** Logout tokens and security events have types of their own, and are no credentials. */
const ACCEPTED_TYPES: readonly (string | undefined)[] = [undefined, 'jwt', 'at+jwt']

/** The claims of a token whose signature and times are valid. */
export type VerifiedClaims = JWTPayload & { readonly sub: string; readonly exp: number; readonly iat: number }

/**
 * Verifies a token. Keys come from `find` alone: the headers `jku`, `x5u`, `jwk` and `x5c` mean nothing.
 * @param options.now the time in milliseconds
 * @throws AccessError CREDENTIAL_REJECTED; JWKSNoMatchingKey if `find` lacks the key
 */
export async function verifyToken(
  token: string,
  find: JWTVerifyGetKey,
  options: {
    readonly issuer: string
    readonly audiences: string[]
    readonly algorithms: string[]
    readonly now: number
  },
): Promise<{ readonly claims: VerifiedClaims; readonly algorithm: string }> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, find, {
      issuer: options.issuer,
      audience: options.audiences,
      algorithms: options.algorithms,
      clockTolerance: CLOCK_TOLERANCE_S,
      maxTokenAge: MAX_LIFETIME_S,
      requiredClaims: ['sub', 'exp', 'iat'],
      currentDate: new Date(options.now),
    })
    if (protectedHeader.crit !== undefined) throw rejected('it has critical extensions')
    const type = protectedHeader.typ?.toLowerCase().replace(/^application\//, '')
    if (!ACCEPTED_TYPES.includes(type)) throw rejected('it is of another type')
    const claims = payload as VerifiedClaims
    if (typeof claims.sub !== 'string' || claims.sub === '' || claims.sub.length > MAX_SUBJECT_LENGTH) {
      throw rejected(`its subject is not a text of up to ${MAX_SUBJECT_LENGTH} characters`)
    }
    if (claims.exp - claims.iat > MAX_LIFETIME_S) throw rejected('it is valid for more than 24 hours')
    return { claims, algorithm: protectedHeader.alg }
  } catch (error) {
    // What the crypto of the runtime throws at a key that is damaged or too short.
    if (error instanceof TypeError || error instanceof DOMException) throw rejected('its key cannot be used')
    if (error instanceof errors.JWKSNoMatchingKey || !(error instanceof errors.JOSEError)) throw error
    throw rejected(reasonOf(error))
  }
}

/** Returns the error for a token that is not accepted. */
export function rejected(reason: string): AccessError {
  return new AccessError('CREDENTIAL_REJECTED', `the identity token is not accepted: ${reason}`)
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) {
    return error.claim === 'exp' ? 'it has expired' : 'it was issued more than 24 hours ago'
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return 'its audience is none of those that the policies for its issuer name'
    if (error.claim === 'nbf') return 'it is not valid yet'
    return error.reason === 'missing'
      ? `it has no claim ${error.claim}`
      : `its claim ${error.claim} is not valid`
  }
  if (error instanceof errors.JOSEAlgNotAllowed)
    return 'its algorithm is none of those that the policies allow'
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'it does not say by which key it is signed'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong'
  return 'it is malformed'
}
