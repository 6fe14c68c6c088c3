import { setTimeout as delay } from 'node:timers/promises'
import type { Lease } from '../job.ts'
import type { JobLeases } from '../queue/job-leases.ts'

const WRITE_INTERVAL_MS = 500

/** Stores the latest progress of a job at most every 500 ms, one write at a time. */
export class ProgressWriter {
  readonly #leases: JobLeases
  readonly #lease: Lease
  readonly #stopped = new AbortController()
  #latest: { readonly value: unknown } | undefined
  #writing: Promise<void> | undefined

  constructor(leases: JobLeases, lease: Lease) {
    this.#leases = leases
    this.#lease = lease
  }

  write(value: unknown): void {
    this.#latest = { value }
    this.#writing ??= this.#writeLatest()
  }

  async #writeLatest(): Promise<void> {
    const { signal } = this.#stopped
    while (this.#latest) {
      const { value } = this.#latest
      this.#latest = undefined
      // A failed write of the progress must not fail the job.
      await this.#leases.saveProgress(this.#lease, value).catch(() => false)
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
