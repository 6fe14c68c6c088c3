import { z } from 'zod'
import { issuerFault } from '../../access/oidc/issuer-url.ts'
import { LOOPBACK_HOSTS } from './setting-values.ts'

/** The settings of OIDC: tokens of workloads, and the login of people. */
export const OidcSettings = {
  RECORD_BROKER_OIDC_POLICIES: z
    .string()
    .min(1)
    .optional()
    .describe(
      'a JSON file that says which tokens of OIDC issuers are accepted, and what their callers may do',
    ),
  RECORD_BROKER_LOGIN_ISSUER: z
    .string()
    .optional()
    .describe('the OIDC issuer at which people log in with a browser; needs RECORD_BROKER_PUBLIC_URL'),
  RECORD_BROKER_LOGIN_CLIENT_ID: z
    .string()
    .min(1)
    .optional()
    .describe(
      'the id of the broker at that issuer, where its redirect URI is the public URL with /login/callback',
    ),
  RECORD_BROKER_LOGIN_CLIENT_SECRET: z
    .string()
    .min(1)
    .optional()
    .describe('its secret; default: it is a public client, which has none'),
  RECORD_BROKER_LOGIN_SCOPES: z
    .string()
    .regex(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/, 'expected scopes, separated by spaces')
    .refine((scopes) => scopes.split(' ').includes('openid'), 'expected openid among the scopes')
    .prefault('openid profile email')
    .describe('what the broker asks the issuer to show about people; some show groups for the scope groups'),
  RECORD_BROKER_LOGIN_GROUPS_CLAIM: z
    .string()
    .min(1)
    .prefault('groups')
    .describe('the claim that lists the groups of a person'),
  RECORD_BROKER_LOGIN_POLICIES: z
    .string()
    .min(1)
    .optional()
    .describe('a JSON file that says which people may log in, and what they may do'),
}
type OidcEnvironment = z.output<z.ZodObject<typeof OidcSettings>>

/** How people log in. */
export type LoginConfig = {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly scopes: string
  readonly groupsClaim: string
  readonly policiesFile: string
  readonly publicUrl: URL
}

/** Settings that mean nothing without an issuer. */
const OF_AN_ISSUER = [
  'RECORD_BROKER_LOGIN_CLIENT_ID',
  'RECORD_BROKER_LOGIN_CLIENT_SECRET',
  'RECORD_BROKER_LOGIN_POLICIES',
] as const

/**
 * Reads the settings of the login.
 * @param fail throws the error for a variable
 * @returns undefined if nobody logs in
 */
export function loginConfig(
  env: OidcEnvironment,
  { publicUrl, plainHttp }: { readonly publicUrl: URL | undefined; readonly plainHttp: readonly string[] },
  fail: (name: string, reason: string) => never,
): LoginConfig | undefined {
  const issuer = env.RECORD_BROKER_LOGIN_ISSUER
  if (issuer === undefined) {
    const useless = OF_AN_ISSUER.find((name) => env[name] !== undefined)
    return useless && fail('RECORD_BROKER_LOGIN_ISSUER', `required, because ${useless} is set`)
  }
  const required = (name: (typeof OF_AN_ISSUER)[number]) =>
    env[name] ?? fail(name, 'required, because RECORD_BROKER_LOGIN_ISSUER is set')
  const fault = issuerFault(issuer, plainHttp)
  if (fault !== undefined) fail('RECORD_BROKER_LOGIN_ISSUER', fault)
  if (publicUrl === undefined) {
    return fail(
      'RECORD_BROKER_PUBLIC_URL',
      'required for the login of people: the issuer sends browsers back to it',
    )
  }
  if (publicUrl.protocol !== 'https:' && !LOOPBACK_HOSTS.has(publicUrl.hostname)) {
    fail('RECORD_BROKER_PUBLIC_URL', 'expected https:// for the login of people, whose cookie is a secret')
  }
  return {
    issuer,
    clientId: required('RECORD_BROKER_LOGIN_CLIENT_ID'),
    clientSecret: env.RECORD_BROKER_LOGIN_CLIENT_SECRET,
    scopes: env.RECORD_BROKER_LOGIN_SCOPES,
    groupsClaim: env.RECORD_BROKER_LOGIN_GROUPS_CLAIM,
    policiesFile: required('RECORD_BROKER_LOGIN_POLICIES'),
    publicUrl,
  }
}
