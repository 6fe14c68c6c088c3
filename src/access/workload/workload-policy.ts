import { z } from 'zod'
import { ClaimConditions } from '../oidc/claim-conditions.ts'
import { checkGrant, GrantFields } from '../oidc/grant.ts'
import { addressFault, issuerFault } from '../oidc/issuer-url.ts'
import { PolicyFileError, parsePolicyFile } from '../oidc/policy-file.ts'
import { saysWhose } from './claim-kinds.ts'

/** Signatures by private keys only: `none` is none, and anyone who reads a public key can sign with HMAC. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const

/** A policy as it stands in the file: which tokens of an issuer are accepted, and what they may do. */
const WorkloadPolicySchema = z
  .strictObject({
    name: z.string().min(1).max(100),
    issuer: z.string().max(1000),
    audience: z.union([z.string().min(1).max(1000), z.array(z.string().min(1).max(1000)).min(1).max(20)], {
      error: 'expected a text of up to 1000 characters, or a list of up to 20 such texts',
    }),
    /** Where the keys are; default: where the issuer's configuration says. */
    jwksUri: z.string().max(1000).optional(),
    /** A PEM file with the certificate authorities of the issuer. */
    ca: z.string().min(1).optional(),
    /** A file with a bearer token that the issuer demands of those who read its keys. */
    tokenFile: z.string().min(1).optional(),
    algorithms: z.array(z.enum(ALGORITHMS)).min(1).default(['RS256', 'ES256', 'PS256', 'EdDSA']),
    conditions: ClaimConditions.refine(
      (conditions) => Object.keys(conditions).length > 0,
      'expected at least one claim: without any, every workload of the issuer is accepted',
    ),
    ...GrantFields,
  })
  .superRefine(checkGrant)
export type WorkloadPolicy = z.output<typeof WorkloadPolicySchema>

/** What the policies of one issuer share, as it says how the issuer is reached. */
const SHARED_FIELDS = ['jwksUri', 'ca', 'tokenFile'] as const

/**
 * Parses a file of policies.
 * @param options.plainHttp the hosts that are used without TLS
 * @throws PolicyFileError that names the field
 */
export function parseWorkloadPolicies(
  text: string,
  { plainHttp = [] }: { readonly plainHttp?: readonly string[] } = {},
): WorkloadPolicy[] {
  const policies = parsePolicyFile(WorkloadPolicySchema, text)
  for (const [index, policy] of policies.entries()) {
    const refuse = (field: string, reason: string) => {
      throw new PolicyFileError(`[${index}].${field}: ${reason}`)
    }
    const { issuer, jwksUri } = policy
    const faults = {
      issuer: issuerFault(issuer, plainHttp),
      jwksUri: jwksUri === undefined ? undefined : addressFault(jwksUri, plainHttp),
    }
    for (const [field, fault] of Object.entries(faults)) if (fault !== undefined) refuse(field, fault)
    const first = policies.findIndex((other) => other.issuer === issuer)
    for (const field of SHARED_FIELDS) {
      if (policies[first]?.[field] !== policy[field])
        refuse(field, `differs from that of [${first}], which has the same issuer`)
    }
    if (!saysWhose(policy)) {
      refuse(
        'conditions',
        'anyone can have a repository at this issuer, and none of these claims says whose it is',
      )
    }
  }
  return policies
}
