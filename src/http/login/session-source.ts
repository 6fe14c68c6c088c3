import type { Caller } from '../../access/caller.ts'
import { grantedCaller } from '../../access/granted-caller.ts'
import type { LoginIssuer } from '../../access/login/login-issuer.ts'
import type { LoginPolicies, LoginPolicy } from '../../access/login/login-policy.ts'
import type { LoginSession, LoginSessions } from '../../access/login/login-sessions.ts'
import type { CallerSource } from '../access/caller-source.ts'
import { BrowserCookies } from './browser-cookies.ts'
import { assertFromOwnPage } from './own-pages.ts'

/** Accepts the cookie of a login, on requests without another credential. */
export function sessionSource({
  issuer,
  sessions,
  policies,
  publicUrl,
}: {
  readonly issuer: Pick<LoginIssuer, 'url'>
  readonly sessions: LoginSessions
  readonly policies: LoginPolicies
  readonly publicUrl: URL
}): CallerSource {
  const cookies = new BrowserCookies(publicUrl)
  return {
    identify: async (presented, request, purpose) => {
      if (presented.kind !== 'none') return undefined
      const id = cookies.read(request, 'record-broker')
      const session =
        id === undefined ? undefined : await sessions.find(id, { notesUse: purpose === 'request' })
      const policy = session && policies.find(session.policy)
      // The settings named another issuer when this person logged in.
      if (!policy || session.issuer !== issuer.url) return undefined
      assertFromOwnPage(request, publicUrl)
      return personCaller(policy, session)
    },
  }
}

/** The caller that a person is by a policy. */
export function personCaller(
  policy: LoginPolicy,
  { subject, issuer }: Pick<LoginSession, 'subject' | 'issuer'>,
): Caller {
  return grantedCaller(policy, { kind: 'person', subject, issuer })
}
