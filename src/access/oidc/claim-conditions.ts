import { z } from 'zod'

/** The claims of a verified token, or of a person who has logged in. */
export type Claims = Readonly<Record<string, unknown>>

/** Claims that have fields of their own in a policy. */
const OWN_FIELDS: readonly string[] = ['iss', 'aud']
const MAX_CONDITIONS = 20
const MAX_VALUES = 100

/**
 * The name of a claim: as it is, or a JSON Pointer (RFC 6901) to a nested one, such as
 * `/kubernetes.io/serviceaccount/uid`. Names with dots and slashes exist, so no other notation tells the two apart.
 */
const ClaimName = z
  .string()
  .min(1)
  .max(300)
  .superRefine((name, context) => {
    const refuse = (message: string) => context.addIssue({ code: 'custom', message })
    if (OWN_FIELDS.includes(name))
      refuse('is not a condition: the issuer and the audience have fields of their own')
    if (name.startsWith('kubernetes.io/')) refuse(`a nested claim begins with a slash: write /${name}`)
    if (name.startsWith('/') && /~(?![01])/.test(name))
      refuse('a ~ of a JSON Pointer is written ~0, and a / of a name ~1')
  })

/** What a claim is compared with. Numbers beyond 2^53 are not exact, and therefore equal nothing. */
const ClaimValue = z.union([z.string().min(1).max(1000), z.int(), z.boolean()], {
  error: 'expected a text, a whole number, true or false',
})
type ClaimValue = z.output<typeof ClaimValue>

/** Values by the names of claims: every claim must be there and equal one of its values. */
export const ClaimConditions = z
  .record(ClaimName, z.union([ClaimValue, z.array(ClaimValue).min(1).max(MAX_VALUES)]))
  .refine(
    (conditions) => Object.keys(conditions).length <= MAX_CONDITIONS,
    `at most ${MAX_CONDITIONS} claims`,
  )
export type ClaimConditions = z.output<typeof ClaimConditions>

/** Whether every claim equals one of the values, in its type, too: `"1"` is not `1`, and a list equals nothing. */
export function fulfils(claims: Claims, conditions: ClaimConditions): boolean {
  return Object.entries(conditions).every(([name, wanted]) => {
    const value = claimAt(claims, name)
    return valuesOf(wanted).some((one) => one === value)
  })
}

/** The values that a condition accepts. */
export function valuesOf(wanted: ClaimConditions[string]): readonly ClaimValue[] {
  return Array.isArray(wanted) ? wanted : [wanted]
}

/** Returns a claim by its name or by a JSON Pointer; undefined if it is missing. */
export function claimAt(claims: Claims, name: string): unknown {
  const path = name.startsWith('/')
    ? name
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    : [name]
  return path.reduce<unknown>(
    (value, part) => (isClaims(value) && Object.hasOwn(value, part) ? value[part] : undefined),
    claims,
  )
}

/** Whether a value is a JSON object. */
export function isClaims(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
