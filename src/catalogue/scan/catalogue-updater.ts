import { StorageFullError } from '../../bytes/storage-full-error.ts'
import type { Database } from '../../db/database.ts'
import { DatabaseUnavailableError } from '../../db/errors.ts'
import { ScanProgress, ScanTakenOverError } from '../../db/scan-progress.ts'
import type { HostNames } from '../../oci/host-names.ts'
import { isRefusal } from '../../records/images/registry-refusals.ts'
import type { RecordStore } from '../../records/store.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { CheckQueue } from '../check-queue.ts'
import { Pacer } from '../compare/pacer.ts'
import { type OpenedSource, PacedSource } from '../compare/registry-source.ts'
import { RepositoryComparer } from '../compare/repository-comparer.ts'
import { ImageRows } from '../image-rows.ts'
import type { ImageWriter } from '../image-writer.ts'
import type { Location } from '../location.ts'
import type { RepositoryProjects } from '../repository-projects.ts'
import type { Backfill } from './backfill.ts'
import { KnownRepositories } from './known-repositories.ts'
import { RegistryScan } from './registry-scan.ts'
import type { ScanBounds } from './scan-bounds.ts'
import { initialState, REGISTRY_SCAN, type ScanState } from './scan-state.ts'
import type { TermBackfill } from './term-backfill.ts'

/** How long one turn continues with further steps. */
const TURN_MS = 20_000
/** The share of a turn for what earlier releases stored. */
const BACKFILL_MS = 5_000
const RECORDS_PER_BATCH = 100
const CHECKS_PER_BATCH = 20
/** The pause when there is nothing to do, or when another process does it. */
const IDLE_MS = 5_000
/** The pause after the first failure of a registry; it doubles with each. */
const FAILURE_MS = 5_000
const MAX_FAILURE_MS = 10 * 60_000
/** Failures at one position, after which the scan continues behind it. */
const MAX_FAILURES = 2

export type UpdaterOptions = {
  readonly database: Database
  readonly names: HostNames
  readonly writer: ImageWriter
  readonly checks: CheckQueue
  readonly backfill: Backfill
  readonly terms: TermBackfill
  readonly projects: RepositoryProjects
  readonly records: RecordStore
  readonly backing: { readonly host: string; readonly prefix: string }
  /** Opens a repository with the credentials of a project. */
  readonly open: (location: Location, project: string) => Promise<OpenedSource>
  readonly catalog: (signal: AbortSignal) => AsyncIterable<string>
  readonly bounds: ScanBounds
  /** Receives problems of registries, which the scan survives. */
  readonly onProblem?: ((error: unknown, message: string) => void) | undefined
}

/**
 * Keeps the catalogue up to date in the background: references that were reported as changed, what earlier
 * releases stored, and the whole backing registry again and again. One process of all replicas does it at a time.
 */
export class CatalogueUpdater {
  readonly #options: UpdaterOptions
  readonly #open: (location: Location) => Promise<OpenedSource>
  readonly #rows: ImageRows
  readonly #room = { images: 0 }
  readonly #scan: RegistryScan
  /** Registries that limit requests at present, and until when, on the clock of `performance.now()`. */
  readonly #pauses = new Map<string, number>()

  constructor(options: UpdaterOptions) {
    this.#options = options
    const { database, names, backing, bounds, writer, catalog } = options
    const pacer = new Pacer(bounds.requestsPerSecond)
    this.#open = async (location) => {
      const opened = await options.open(location, await options.projects.of(location))
      return {
        source: new PacedSource(opened.source, pacer),
        [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
      }
    }
    this.#rows = new ImageRows(database, names)
    this.#scan = new RegistryScan({
      backing: { ...backing, host: names.preferred(backing.host) },
      open: this.#open,
      catalog,
      writer,
      rows: this.#rows,
      repositories: new KnownRepositories(database, names, bounds.maxRepositories),
      bounds,
      room: this.#room,
    })
  }

  /**
   * Works for some seconds.
   * @param owner names this replica; each start has another name
   * @returns the pause before the next turn in milliseconds
   */
  async turn(owner: string, signal: AbortSignal): Promise<number> {
    const { database, backing, bounds } = this.#options
    const registry = [backing.host, backing.prefix].filter(Boolean).join('/')
    const progress = new ScanProgress<ScanState>(database, REGISTRY_SCAN, owner)
    const saved = await progress.acquire(initialState(registry))
    if (!saved) return IDLE_MS
    let state = saved
    if (saved.registry !== registry) {
      await this.#rows.forget(saved.registry.split('/', 1)[0] ?? '', signal)
      state = initialState(registry)
    }
    this.#room.images = bounds.maxImages - (await this.#rows.count(bounds.maxImages))
    const deadline = performance.now() + TURN_MS
    try {
      const hasBacklog = await this.#indexBacklog()
      await progress.save(state)
      while (performance.now() < deadline) {
        const hasChecks = await this.#compareDue(signal)
        await progress.save(state)
        if (hasChecks) continue
        if (bounds.intervalMs === 0 || state.dueAt > Date.now()) return hasBacklog ? 0 : IDLE_MS
        // A step that ends this process counts as a failure, too.
        await progress.save({ ...state, failures: state.failures + 1 })
        state = await this.#step(state, signal)
        await progress.save(state)
      }
      return 0
    } catch (error) {
      if (error instanceof ScanTakenOverError) return IDLE_MS
      // A stop is no failure of the step. Otherwise a few restarts would skip a part of the registry.
      if (signal.aborted) await progress.save(state).catch(() => undefined)
      throw error
    }
  }

  /** Does one step of the scan. A failure moves the time of the next step, or the position. */
  async #step(state: ScanState, signal: AbortSignal): Promise<ScanState> {
    const { bounds } = this.#options
    if (state.failures > MAX_FAILURES) return this.#scan.skip(state, false)
    try {
      const next = await this.#scan.step(state, signal)
      return next.phase === 'idle' ? { ...next, dueAt: Date.now() + bounds.intervalMs } : next
    } catch (error) {
      if (signal.aborted || isOwnFailure(error)) throw error
      this.#options.onProblem?.(error, 'the registry scan was interrupted')
      const problem = String((error as Error).message).slice(0, 1000)
      if (!(error instanceof RegistryError) || !error.retryable) {
        return { ...this.#scan.skip(state, isRefusal(error)), problem }
      }
      this.#notePause(error)
      // A registry that limits requests has not failed.
      const failures = error.code === 'RATE_LIMITED' ? state.failures : state.failures + 1
      const waitMs = error.retryAfterMs ?? Math.min(MAX_FAILURE_MS, FAILURE_MS * 2 ** failures)
      return { ...state, failures, problem, dueAt: Date.now() + waitMs }
    }
  }

  /** Compares references that were reported as changed. Returns whether there may be more. */
  async #compareDue(signal: AbortSignal): Promise<boolean> {
    const { checks, writer } = this.#options
    const due = await checks.listDue(CHECKS_PER_BATCH)
    for (const check of due) {
      const { host, repository } = check.reference
      if ((this.#pauses.get(host) ?? 0) > performance.now()) {
        await checks.retry(check)
        continue
      }
      const location = { host, repository }
      try {
        await using opened = await this.#open(location)
        const comparer = new RepositoryComparer({
          source: opened.source,
          location,
          writer,
          rows: this.#rows,
          signal,
          concurrency: 1,
          room: this.#room,
        })
        await comparer.compareReference(check.reference)
        await checks.finish(check)
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error
        this.#notePause(error)
        if (error.retryable) await checks.retry(check)
        else await checks.finish(check)
      }
    }
    return due.length === CHECKS_PER_BATCH
  }

  #notePause({ host, retryAfterMs }: RegistryError): void {
    if (retryAfterMs !== undefined) this.#pauses.set(host, performance.now() + retryAfterMs)
  }

  /** Indexes what earlier releases stored. Returns whether there may be more. */
  async #indexBacklog(): Promise<boolean> {
    const { backfill, terms, records, checks } = this.#options
    const deadline = performance.now() + BACKFILL_MS
    let hasMore = true
    while (hasMore && performance.now() < deadline) {
      hasMore = await records.indexTerms(RECORDS_PER_BATCH)
      hasMore = (await terms.index()) || hasMore
      // Publications become checks, so they wait until those are done.
      if (!(await checks.isFull())) hasMore = (await backfill.indexPublications()) || hasMore
      if (!(await checks.isFull())) hasMore = (await backfill.indexConversions()) || hasMore
    }
    return hasMore
  }
}

/** Whether the database fails. The position then stays. */
function isOwnFailure(error: unknown): boolean {
  return (
    error instanceof DatabaseUnavailableError ||
    error instanceof StorageFullError ||
    error instanceof ScanTakenOverError
  )
}
