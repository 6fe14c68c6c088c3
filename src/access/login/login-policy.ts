import { hash } from 'node:crypto'
import { z } from 'zod'
import { ClaimConditions, type Claims, claimAt, fulfils } from '../oidc/claim-conditions.ts'
import { checkGrant, GrantFields } from '../oidc/grant.ts'
import { parsePolicyFile } from '../oidc/policy-file.ts'

/** A policy as it stands in the file: which people may log in, and what they may do. */
const LoginPolicySchema = z
  .strictObject({
    name: z.string().min(1).max(100),
    conditions: ClaimConditions.default({}),
    /** The person is in at least one of these groups. */
    groups: z.array(z.string().min(1).max(1000)).min(1).max(1000).optional(),
    ...GrantFields,
  })
  .superRefine(checkGrant)
  .superRefine(({ conditions, groups }, context) => {
    if (groups !== undefined || Object.keys(conditions).length > 0) return
    const message =
      'expected at least one claim, or groups: without them, everybody whom the issuer knows may log in'
    context.addIssue({ code: 'custom', path: ['conditions'], message })
  })
export type LoginPolicy = z.output<typeof LoginPolicySchema>

/** Who may log in. */
export class LoginPolicies {
  readonly #policies: readonly LoginPolicy[]
  readonly #groupsClaim: string
  readonly #byDigest: ReadonlyMap<string, LoginPolicy>

  /** @param groupsClaim the claim that lists the groups of a person, see `claimAt` */
  constructor(policies: readonly LoginPolicy[], groupsClaim: string) {
    this.#policies = policies
    this.#groupsClaim = groupsClaim
    this.#byDigest = new Map(policies.map((policy) => [digestOf(policy), policy]))
  }

  /** @throws PolicyFileError that names the field */
  static parse(text: string, groupsClaim: string): LoginPolicies {
    return new LoginPolicies(parsePolicyFile(LoginPolicySchema, text), groupsClaim)
  }

  get all(): readonly LoginPolicy[] {
    return this.#policies
  }

  /** Returns the first policy that admits a person, with its digest; undefined if none does. */
  admit(claims: Claims): { readonly policy: LoginPolicy; readonly digest: string } | undefined {
    const listed = claimAt(claims, this.#groupsClaim)
    const memberships: readonly unknown[] = Array.isArray(listed) ? listed : [listed]
    const policy = this.#policies.find(
      ({ conditions, groups }) =>
        fulfils(claims, conditions) && (groups?.some((group) => memberships.includes(group)) ?? true),
    )
    return policy && { policy, digest: digestOf(policy) }
  }

  /** Returns a policy by its digest. A policy that was changed has another one: its sessions have ended. */
  find(digest: string): LoginPolicy | undefined {
    return this.#byDigest.get(digest)
  }

  /** The names of the claims that decide who may log in. */
  get claimNames(): string[] {
    const names = this.#policies.flatMap(({ conditions, groups }) => [
      ...Object.keys(conditions),
      ...(groups ? [this.#groupsClaim] : []),
    ])
    return [...new Set(names)].sort()
  }
}

function digestOf(policy: LoginPolicy): string {
  return hash('sha256', JSON.stringify(policy), 'base64url')
}
