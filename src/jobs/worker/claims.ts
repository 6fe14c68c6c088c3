import type { Claim } from '../queue/claim.ts'
import type { JobLeases } from '../queue/leases.ts'
import { nowMs } from './lease-terms.ts'

/** A job that a worker got, and {@link nowMs} from before it asked. */
export type Claimed = Claim & { readonly claimedAt: number }

/** Claims jobs for the lanes of one worker. A job that is suspected to have killed a worker runs alone. */
export class Claims {
  readonly #leases: JobLeases
  readonly #owner: string
  /** Lanes that run a job or ask for one. */
  #busy = 0
  /** A lane asks that may get a suspect: the others wait for what it gets. */
  #asking: Promise<void> | undefined
  #hasSuspect = false

  constructor(leases: JobLeases, owner: string) {
    this.#leases = leases
    this.#owner = owner
  }

  /** Claims a job and acts on it; false when there is none, or none may run beside the one that runs. */
  async run(act: (claimed: Claimed) => Promise<void>): Promise<boolean> {
    while (this.#asking) await this.#asking
    if (this.#hasSuspect) return false
    const isIdle = this.#busy === 0
    this.#busy += 1
    try {
      const claimed = await (isIdle ? this.#claimAlone() : this.#claim(false))
      if (claimed) await act(claimed)
      return claimed !== undefined
    } finally {
      this.#busy -= 1
      // Whoever began alone is the only one that can have one.
      if (isIdle) this.#hasSuspect = false
    }
  }

  async #claimAlone(): Promise<Claimed | undefined> {
    const asking = Promise.withResolvers<void>()
    this.#asking = asking.promise
    try {
      const claimed = await this.#claim(true)
      this.#hasSuspect = claimed?.job.isSuspect === true
      return claimed
    } finally {
      this.#asking = undefined
      asking.resolve()
    }
  }

  async #claim(isIdle: boolean): Promise<Claimed | undefined> {
    const claimedAt = nowMs()
    const claim = await this.#leases.claim(this.#owner, { isIdle })
    return claim && { ...claim, claimedAt }
  }
}
