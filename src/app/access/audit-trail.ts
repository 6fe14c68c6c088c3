import type { Logger } from 'pino'
import { AuditTrail } from '../../access/audit/audit-trail.ts'
import type { Database } from '../../db/database.ts'
import type { Config } from '../config/config.ts'

/** Opens what records the requests of this process. */
export function openAuditTrail(database: Database, config: Config, log: Logger): AuditTrail {
  return new AuditTrail(database, {
    days: config.auditDays,
    onFailure: (err, dropped) =>
      log.error(
        { err, ...(dropped > 0 && { dropped }) },
        dropped > 0
          ? 'events of the audit log were lost'
          : 'the audit log was not written; it is tried again',
      ),
  })
}
