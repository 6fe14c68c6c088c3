import type { Migration } from 'kysely/migration'
import * as migration0001 from './0001-records-and-jobs.ts'
import * as migration0002 from './0002-origins-of-records.ts'
import * as migration0003 from './0003-converted-layers.ts'
import * as migration0004 from './0004-leases-attempts-events.ts'
import * as migration0005 from './0005-tag-moves.ts'
import * as migration0006 from './0006-request-keys.ts'
import * as migration0007 from './0007-events-and-callbacks.ts'
import * as migration0008 from './0008-batches.ts'
import * as migration0009 from './0009-rules.ts'
import * as migration0010 from './0010-workers.ts'
import * as migration0011 from './0011-cache-upkeep.ts'
import * as migration0012 from './0012-one-running-job.ts'
import * as migration0013 from './0013-job-tallies.ts'
import * as migration0014 from './0014-sources-of-verifications.ts'
import * as migration0015 from './0015-indexes-in-parts.ts'
import * as migration0016 from './0016-rank-and-suspects.ts'
import * as migration0017 from './0017-notes-on-profiles.ts'
import * as migration0018 from './0018-results-of-conversions.ts'
import * as migration0019 from './0019-catalogue.ts'
import * as migration0020a from './0020-batch-states.ts'
import * as migration0020b from './0020-job-listings.ts'
import * as migration0020c from './0020-job-series.ts'
import * as migration0021 from './0021-traces-of-jobs.ts'
import * as migration0022 from './0022-projects-of-jobs.ts'
import * as migration0023 from './0023-projects-of-records.ts'
import * as migration0024 from './0024-sharing.ts'
import * as migration0025 from './0025-projects-and-tokens.ts'
import * as migration0026 from './0026-registry-credentials.ts'
import * as migration0027 from './0027-audit-log.ts'
import * as migration0028 from './0028-login-sessions.ts'

/** All migrations, by name and in order. A released migration is never edited. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-records-and-jobs': migration0001,
  '0002-origins-of-records': migration0002,
  '0003-converted-layers': migration0003,
  '0004-leases-attempts-events': migration0004,
  '0005-tag-moves': migration0005,
  '0006-request-keys': migration0006,
  '0007-events-and-callbacks': migration0007,
  '0008-batches': migration0008,
  '0009-rules': migration0009,
  '0010-workers': migration0010,
  '0011-cache-upkeep': migration0011,
  '0012-one-running-job': migration0012,
  // Triggers of 0013 are deferred (PostgreSQL): a later migration that changes rows of `jobs` and then alters
  // the table has to run `set constraints all immediate` in between.
  '0013-job-tallies': migration0013,
  '0014-sources-of-verifications': migration0014,
  '0015-indexes-in-parts': migration0015,
  '0016-rank-and-suspects': migration0016,
  '0017-notes-on-profiles': migration0017,
  '0018-results-of-conversions': migration0018,
  '0019-catalogue': migration0019,
  '0020-batch-states': migration0020a,
  '0020-job-listings': migration0020b,
  '0020-job-series': migration0020c,
  '0021-traces-of-jobs': migration0021,
  '0022-projects-of-jobs': migration0022,
  '0023-projects-of-records': migration0023,
  '0024-sharing': migration0024,
  '0025-projects-and-tokens': migration0025,
  '0026-registry-credentials': migration0026,
  '0027-audit-log': migration0027,
  '0028-login-sessions': migration0028,
}
