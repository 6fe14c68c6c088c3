import { z } from 'zod'
import type { KeyRing } from '../../access/key-ring.ts'
import { LoginChecks } from '../../access/login/login-issuer.ts'

/** How long a person may take to log in at the issuer. */
export const PENDING_MS = 10 * 60_000
const PURPOSE = 'pending login'

/**
 * A login that has begun. The browser keeps it, encrypted, so that any number of logins costs the broker nothing,
 * and so that nobody can end in one browser what began in another.
 */
const PendingLogin = z.object({ checks: LoginChecks, returnTo: z.string(), until: z.number() })
export type PendingLogin = Omit<z.output<typeof PendingLogin>, 'until'>

export function sealPendingLogin(login: PendingLogin, keys: KeyRing): string {
  return keys.encrypt(PURPOSE, JSON.stringify({ ...login, until: Date.now() + PENDING_MS }), PURPOSE)
}

/** @returns undefined if the text was not sealed by this broker, or too long ago */
export function openPendingLogin(sealed: string, keys: KeyRing): PendingLogin | undefined {
  try {
    const login = PendingLogin.parse(JSON.parse(keys.decrypt(PURPOSE, sealed, PURPOSE)))
    return Date.now() < login.until ? login : undefined
  } catch {
    return undefined
  }
}
