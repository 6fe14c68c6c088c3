import type { Claim } from '../claims/claim-job.ts'
import type { JobLeases } from '../claims/job-leases.ts'
import { monotonicMs } from './lease-protocol.ts'

/** A claimed job. `claimedAt` is {@link monotonicMs} from before the claim. */
export type TimedClaim = Claim & { readonly claimedAt: number }

/** Claims jobs for the lanes of one worker. A job that is suspected to have killed a worker runs alone. */
export class JobClaimer {
  readonly #leases: JobLeases
  readonly #owner: string
  /** The number of lanes that run or claim a job. */
  #busyLanes = 0
  /** A claim in progress that may return a suspect. Other lanes wait for its result. */
  #idleClaim: Promise<void> | undefined
  #isSuspectRunning = false

  constructor(leases: JobLeases, owner: string) {
    this.#leases = leases
    this.#owner = owner
  }

  /** Claims and runs a job. Returns false if there is none or the running one must stay alone. */
  async runNext(run: (claim: TimedClaim) => Promise<void>): Promise<boolean> {
    while (this.#idleClaim) await this.#idleClaim
    if (this.#isSuspectRunning) return false
    const isIdle = this.#busyLanes === 0
    this.#busyLanes += 1
    try {
      const claim = await (isIdle ? this.#claimWhileIdle() : this.#claim(false))
      if (claim) await run(claim)
      return claim !== undefined
    } finally {
      this.#busyLanes -= 1
      // Only a lane that claimed while the worker was idle can have a suspect.
      if (isIdle) this.#isSuspectRunning = false
    }
  }

  async #claimWhileIdle(): Promise<TimedClaim | undefined> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#idleClaim = promise
    try {
      const claim = await this.#claim(true)
      this.#isSuspectRunning = claim?.job.isSuspect === true
      return claim
    } finally {
      this.#idleClaim = undefined
      resolve()
    }
  }

  async #claim(isIdle: boolean): Promise<TimedClaim | undefined> {
    const claimedAt = monotonicMs()
    const claim = await this.#leases.claim(this.#owner, { isIdle })
    return claim && { ...claim, claimedAt }
  }
}
