import type { Lease } from '../job.ts'

/**
 * After this time without a sign of life, the main thread is considered stuck and its leases are not renewed
 * any more.
 */
export const MAIN_THREAD_STUCK_MS = 120_000

/** The start data of the lease thread. `alive` contains the time of the main thread's last sign of life. */
export type LeaseThreadData = {
  readonly databaseUrl: string
  readonly leaseMs: number
  readonly alive: BigInt64Array
}

/**
 * A command to the lease thread. `claimedAt` is {@link monotonicMs} from before the claim. `deadline` is
 * shared memory that contains the time until which the worker may rely on the lease; each renewal extends it.
 */
export type LeaseCommand =
  | {
      readonly kind: 'hold'
      readonly lease: Lease
      readonly claimedAt: number
      readonly deadline: BigInt64Array
    }
  | { readonly kind: 'release'; readonly token: string }
  | { readonly kind: 'close' }

/** A message from the lease thread. `healthy` is sent once, after the first check of all leases succeeded. */
export type LeaseMessage =
  | { readonly kind: 'lost' | 'cancelled'; readonly token: string }
  | { readonly kind: 'healthy' }

/**
 * Milliseconds of the monotonic clock, which all threads of a process share and which runs while the process
 * is stopped.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

export function renewIntervalMs(leaseMs: number): number {
  return leaseMs / 3
}

/** How long before the end of a lease the worker stops relying on it by its own clock. */
export function safetyMarginMs(leaseMs: number): number {
  return leaseMs / 6
}
