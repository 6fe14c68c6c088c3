import { setTimeout as delay } from 'node:timers/promises'
import { untraced } from '../../tracing/trace-context.ts'
import type { JobLeases } from '../claims/job-leases.ts'
import type { Lease } from '../job.ts'

const WRITE_INTERVAL_MS = 500

/** Stores the latest progress of a job at most every 500 ms, one write at a time. */
export class ProgressWriter {
  readonly #leases: JobLeases
  readonly #lease: Lease
  readonly #summarize: (progress: unknown) => unknown
  readonly #stopped = new AbortController()
  #latest: { readonly value: unknown } | undefined
  #writing: Promise<void> | undefined

  /** @param summarize returns the part of the progress that listings show */
  constructor(leases: JobLeases, lease: Lease, summarize: (progress: unknown) => unknown) {
    this.#leases = leases
    this.#lease = lease
    this.#summarize = summarize
  }

  write(value: unknown): void {
    this.#latest = { value }
    // A trace of a long job would consist of these writes.
    this.#writing ??= untraced(() => this.#writeLatest())
  }

  async #writeLatest(): Promise<void> {
    const { signal } = this.#stopped
    while (this.#latest) {
      const { value } = this.#latest
      this.#latest = undefined
      // A failed write of the progress must not fail the job.
      await this.#leases.saveProgress(this.#lease, value, this.#summarize(value)).catch(() => false)
      await delay(WRITE_INTERVAL_MS, undefined, { signal }).catch(() => {})
    }
    this.#writing = undefined
  }

  /** Waits for the current write and drops the pending value, as the work has ended. */
  async stop(): Promise<void> {
    this.#latest = undefined
    this.#stopped.abort()
    await this.#writing
  }
}
