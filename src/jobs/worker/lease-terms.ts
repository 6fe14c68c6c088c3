import type { Lease } from '../job.ts'

/** A main thread that did not move for so long will not: its leases are not renewed any more. */
export const STUCK_AFTER_MS = 120_000

/** What the thread of a lease keeper starts with. `alive` holds the moment at which the main thread last moved. */
export type KeeperData = {
  readonly databaseUrl: string
  readonly leaseMs: number
  readonly alive: BigInt64Array
}

/** `claimedAt` is from before the claim; `deadline` is shared, and pushed back with every renewal. */
export type LeaseOrder =
  | {
      readonly do: 'hold'
      readonly lease: Lease
      readonly claimedAt: number
      readonly deadline: BigInt64Array
    }
  | { readonly do: 'release'; readonly token: string }
  | { readonly do: 'close' }

export type LeaseWord =
  | { readonly token: string; readonly is: 'lost' | 'cancelled' }
  /** Told once: all leases that the thread was given are kept. */
  | { readonly is: 'kept' }

/** Milliseconds of the monotonic clock that all threads of a process share; it goes on while the process is stopped. */
export function nowMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

export function renewEvery(leaseMs: number): number {
  return leaseMs / 3
}

/** How long before the end of its lease a worker stops by its own clock. */
export function marginOf(leaseMs: number): number {
  return leaseMs / 6
}
