import type { ScopedAuditLog } from '../access/audit/audit-log.ts'
import type { Caller } from '../access/caller.ts'
import type { CredentialStore } from '../access/credentials/credential-store.ts'
import type { ProjectDirectory } from '../access/projects/project-directory.ts'
import type { ProjectUsage } from '../access/projects/project-usage.ts'
import type { ApiTokens } from '../access/tokens/api-tokens.ts'
import type { Analyses } from '../analysis/analyses.ts'
import type { Spool } from '../bytes/spool.ts'
import type { CacheAdministration } from '../cache/cache-administration.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Scoped } from '../db/project-scope.ts'
import type { TagMoves } from '../jobs/claims/tag-moves.ts'
import type { WaitExplainer } from '../jobs/claims/wait-explainer.ts'
import type { CallbackStore } from '../jobs/events/callback-store.ts'
import type { ProjectEvents } from '../jobs/events/event-feed.ts'
import type { EventLog } from '../jobs/events/event-log.ts'
import type { ProjectBatches } from '../jobs/queue/batch-store.ts'
import type { ProjectKeys } from '../jobs/queue/idempotency-keys.ts'
import type { ProjectJobs } from '../jobs/queue/project-jobs.ts'
import type { ScopedRules } from '../jobs/rule-store.ts'
import type { ProjectSeries } from '../jobs/series/series-store.ts'
import type { WorkerDirectory } from '../jobs/worker/worker-directory.ts'
import type { HostNames } from '../oci/host-names.ts'
import type { Reference } from '../oci/reference.ts'
import type { ProjectRecords } from '../records/project-records.ts'

/**
 * Everything that the HTTP server depends on. `buildApp` gives each group of routes only the services that it
 * uses.
 */
export type Services = {
  readonly projects: ProjectDirectory
  readonly registryCredentials: CredentialStore
  readonly tokens: ApiTokens
  readonly audit: Scoped<ScopedAuditLog>
  /** What a project uses of its quotas. */
  readonly projectUsage: (project: string) => Promise<ProjectUsage>
  /** The names of the embedded registry, under which references mean the same image. */
  readonly names: HostNames
  readonly records: Scoped<ProjectRecords>
  readonly catalogue: Catalogue
  /** The registry of repositories that are named without one. */
  readonly defaultRegistry: string
  /** Notes references that a registry reports as changed. */
  readonly addCatalogueChanges: (references: readonly Reference[]) => Promise<void>
  /** Buffers uploaded records on disk until they are complete. */
  readonly spool: Spool
  /** Maximum size of an uploaded record as it arrives, in bytes. */
  readonly maxRecordBytes: number
  readonly analyses: Analyses
  readonly jobs: Scoped<ProjectJobs>
  readonly series: Scoped<ProjectSeries>
  readonly batches: Scoped<ProjectBatches>
  readonly idempotencyKeys: Scoped<ProjectKeys>
  readonly eventFeed: Scoped<ProjectEvents>
  // What belongs to a job is read by the job, which only `jobs` of its project returns.
  readonly waits: WaitExplainer
  readonly events: Pick<EventLog, 'listForJob'>
  readonly callbacks: Pick<CallbackStore, 'listForJob'>
  readonly tagMoves: Pick<TagMoves, 'listForJob' | 'isMovedByBroker'>
  readonly rules: Scoped<ScopedRules>
  readonly workers: WorkerDirectory
  readonly cache: CacheAdministration
  /** Rejects if the backing registry does not respond. */
  readonly checkRegistry: (signal: AbortSignal) => Promise<void>
  /** Whether the broker's disk has free space beyond the reserve. */
  readonly hasFreeSpace: () => Promise<boolean>
  /** Whether callbacks may be sent to this URL. */
  readonly isCallbackAllowed: (url: URL) => boolean
  /**
   * @param access what a job does with the reference: it reads a source or a record image, and writes a target
   * @param caller whose patterns must allow the repository; omitted: only the host is checked, and the job later
   * runs under the patterns of its project
   * @throws RegistryError HOST_NOT_ALLOWED if the broker may not contact the registry of a reference;
   * REPOSITORY_NOT_ALLOWED if the caller may not use the repository
   */
  readonly assertReferenceAllowed: (reference: string, access: 'read' | 'write', caller?: Caller) => void
}
