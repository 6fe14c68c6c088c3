import { JOB_KINDS, type JobKind } from '../jobs/job.ts'
import { ATTEMPT_ENDS, type AttemptEnd, type JobObserver } from '../jobs/worker/job-observer.ts'
import { LONG_DURATIONS, type MetricSet } from './metric-set.ts'

/** Codes of errors with labels of their own, besides `other`. */
const MAX_CODES = 100
const CODE = /^[A-Z][A-Z0-9_]{1,39}$/
/** Codes that alerts look for. They are shown from the start, because a rate needs the zero before the first event. */
const ALERTED_CODES = ['SCRATCH_FULL', 'STORAGE_FULL']
/** The code of an attempt whose bytes did not move. */
const STALLED = 'STALLED'

/** Measures the jobs of a worker. */
export class JobMetrics implements JobObserver {
  readonly #waits
  readonly #durations
  readonly #attempts
  readonly #errors
  readonly #stalls
  readonly #expired
  readonly #callbacks
  readonly #codes = new Set<string>()

  constructor(metrics: MetricSet) {
    this.#waits = metrics.histogram(
      'record_broker_job_wait_seconds',
      'Time from the acceptance of a job to the start of its first attempt.',
      LONG_DURATIONS,
      ['kind'],
    )
    this.#durations = metrics.histogram(
      'record_broker_job_attempt_duration_seconds',
      'Time of an attempt of a job, however it ended.',
      LONG_DURATIONS,
      ['kind'],
    )
    this.#attempts = metrics.counter(
      'record_broker_job_attempts_total',
      'Attempts of jobs by how they ended. `retried`, `throttled` and `disk-full`: the job runs again later. `released`: the worker stopped. `lost`: the lease was lost, and the job runs again.',
      ['kind', 'end'],
    )
    this.#errors = metrics.counter(
      'record_broker_job_errors_total',
      'Attempts that ended with an error, by the code of the error.',
      ['kind', 'code'],
    )
    this.#stalls = metrics.counter(
      'record_broker_job_stalls_total',
      'Attempts that were stopped because no byte moved for RECORD_BROKER_STALL_SECONDS.',
      ['kind'],
    )
    this.#expired = metrics.counter(
      'record_broker_job_leases_expired_total',
      'Jobs that were taken over because their lease expired. `worker-died`: their worker is gone. `not-renewed`: it lives, and did not renew the lease in time.',
      ['kind', 'cause'],
    )
    this.#callbacks = metrics.counter(
      'record_broker_callback_deliveries_total',
      'Attempts to deliver a callback. `due`: it failed and will be repeated. `failed`: it was the last attempt.',
      ['outcome'],
    )
    for (const kind of JOB_KINDS) {
      for (const end of ATTEMPT_ENDS) this.#attempts.inc({ kind, end }, 0)
      for (const cause of ['worker-died', 'not-renewed']) this.#expired.inc({ kind, cause }, 0)
      for (const code of ALERTED_CODES) this.#errors.inc({ kind, code: this.#label(code) }, 0)
      this.#stalls.inc({ kind }, 0)
    }
    for (const outcome of ['delivered', 'failed', 'due']) this.#callbacks.inc({ outcome }, 0)
  }

  onFirstStart(kind: JobKind, waitedMs: number): void {
    this.#waits.labels({ kind }).observe(Math.max(0, waitedMs) / 1000)
  }

  onAttemptEnd(kind: JobKind, end: AttemptEnd, durationMs: number, code: string | undefined): void {
    this.#durations.labels({ kind }).observe(durationMs / 1000)
    this.#attempts.inc({ kind, end })
    if (code === STALLED) this.#stalls.inc({ kind })
    if (code !== undefined) this.#errors.inc({ kind, code: this.#label(code) })
  }

  onExpired(kind: JobKind, cause: 'worker-died' | 'not-renewed'): void {
    this.#expired.inc({ kind, cause })
  }

  onDelivery(outcome: 'delivered' | 'failed' | 'due'): void {
    this.#callbacks.inc({ outcome })
  }

  #label(code: string): string {
    if (this.#codes.has(code)) return code
    if (!CODE.test(code) || this.#codes.size >= MAX_CODES) return 'other'
    this.#codes.add(code)
    return code
  }
}
