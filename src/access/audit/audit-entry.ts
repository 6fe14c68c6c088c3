import type { CallerKind } from '../caller.ts'

/** How a request ended: `denied` by the rules of access, or `failed` for another reason. */
export const AUDIT_OUTCOMES = ['allowed', 'denied', 'failed'] as const
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number]

/** What someone did, or tried to do. */
export type AuditEvent = {
  /** In milliseconds since 1970. */
  readonly at: number
  /** `anonymous` if the caller did not identify itself, or not successfully. */
  readonly kind: CallerKind | 'anonymous'
  readonly subject?: string | undefined
  readonly issuer?: string | undefined
  readonly tokenId?: string | undefined
  readonly project?: string | undefined
  /** The name of the operation in the API. */
  readonly action: string
  readonly method: string
  readonly outcome: AuditOutcome
  readonly status: number
  readonly code?: string | undefined
  /** `host/repository`. The broker's own registry is `embedded`. */
  readonly repository?: string | undefined
  /** The id or name of what was acted on: of a record, a job, a token; a tag or a digest. */
  readonly resource?: string | undefined
  readonly address?: string | undefined
  readonly requestId?: string | undefined
}

/** A stored event. Refused or failed requests that are repeated make one event: `count` says how many there were. */
export type AuditEntry = AuditEvent & { readonly id: string; readonly count: number }
