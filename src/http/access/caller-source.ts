import type { FastifyRequest } from 'fastify'
import type { Caller } from '../../access/caller.ts'

/** The credential in the `Authorization` header of a request. Cookies are in the request itself. */
export type Presented =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly secret: string }
  /** Only registry clients send it, under `/v2/`; any user name is accepted with a token as the password. */
  | { readonly kind: 'basic'; readonly username: string; readonly secret: string }

/** Why a credential is looked at. A `check` of one that opened a response which still lasts is no use of it. */
export type Purpose = 'request' | 'check'

/** One of the ways in which callers identify themselves. */
export interface CallerSource {
  /**
   * Returns the caller whose credential this is, or undefined if it is not of this kind.
   * @throws an error with a status and a code if it is of this kind but not accepted: expired, revoked
   */
  identify(presented: Presented, request: FastifyRequest, purpose: Purpose): Promise<Caller | undefined>
}

/** Reads the `Authorization` header (RFC 9110, 11.6.2). Unknown schemes count as no credential. */
export function presentedBy(header: string | undefined, allowsBasic: boolean): Presented {
  const [, scheme = '', value = ''] = /^([^ ]+) +(.*)$/.exec(header ?? '') ?? []
  if (scheme.toLowerCase() === 'bearer') return { kind: 'bearer', secret: value.trim() }
  if (!allowsBasic || scheme.toLowerCase() !== 'basic') return { kind: 'none' }
  const credentials = Buffer.from(value, 'base64').toString('utf8')
  const colon = credentials.indexOf(':')
  return { kind: 'basic', username: credentials.slice(0, colon), secret: credentials.slice(colon + 1) }
}
