import { z } from 'zod'
import { AUDIT_OUTCOMES, type AuditEntry } from '../../access/audit/audit-entry.ts'
import { isoTime, Timestamp } from '../parameters.ts'

export const AuditEntryView = z
  .object({
    id: z.string(),
    at: Timestamp,
    caller: z.object({
      kind: z
        .string()
        .describe(
          'How it identified itself: `operator`, `local`, `token`, `workload`, `person`, `hook`, `worker`, or `anonymous`.',
        ),
      subject: z.string().optional(),
      issuer: z.string().optional().describe('The issuer of its OIDC token.'),
      tokenId: z.string().optional().describe('The id of its API token.'),
    }),
    project: z.string().optional(),
    action: z.string().describe('The operation of the API, such as `createConversion`, or of the registry.'),
    method: z.string(),
    outcome: z
      .enum(AUDIT_OUTCOMES)
      .describe('`denied` by the rules of access, or `failed` for another reason.'),
    status: z.int().describe('The HTTP status.'),
    code: z.string().optional(),
    repository: z.string().optional().describe('The host `embedded` is the registry of the broker itself.'),
    resource: z.string().optional().describe('The id or name of what was acted on.'),
    address: z.string().optional().describe('Where the request came from.'),
    requestId: z.string().optional(),
    count: z
      .int()
      .describe(
        'How many requests there were: those that are refused or fail again and again make one event.',
      ),
  })
  .meta({ id: 'AuditEntry', description: 'What someone did, or tried to do.' })

export const AuditPage = z
  .object({ items: z.array(AuditEntryView), next: z.string().optional() })
  .meta({ id: 'AuditPage', description: 'A page of the audit log, newest first.' })

export function auditEntryView(entry: AuditEntry): z.output<typeof AuditEntryView> {
  const { kind, subject, issuer, tokenId, at, ...rest } = entry
  const caller = {
    kind,
    ...(subject !== undefined && { subject }),
    ...(issuer !== undefined && { issuer }),
    ...(tokenId !== undefined && { tokenId }),
  }
  const present = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  return { ...(present as typeof rest), at: isoTime(at), caller }
}
