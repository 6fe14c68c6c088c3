import { Worker } from 'node:worker_threads'
import type { Lease } from './job.ts'
import { type KeeperData, type LeaseOrder, type LeaseWord, marginOf, nowMs } from './lease-terms.ts'

/** How often the main thread shows that it moves, and looks at the clock. */
const TICK_MS = 250
const CLOSE_MS = 5_000

/** Why the work under a lease has to stop. */
export class LeaseEnded extends Error {
  override readonly name = 'LeaseEnded'
  readonly reason: 'lost' | 'cancelled'
  constructor(reason: 'lost' | 'cancelled') {
    super(reason === 'lost' ? 'the lease is lost' : 'the job was cancelled')
    this.reason = reason
  }
}

/** A lease that is being renewed. `signal` aborts with a {@link LeaseEnded}. */
export type HeldLease = {
  readonly signal: AbortSignal
  /** Whether the lease holds by this process's own clock. */
  readonly stillHolds: () => boolean
  readonly release: () => void
}

type Held = { readonly deadline: BigInt64Array; readonly ended: AbortController }

/** Keeps the leases of this process, see `lease-thread.ts`. */
export class LeaseKeeper implements AsyncDisposable {
  readonly leaseMs: number
  readonly #databaseUrl: string
  readonly #alive = sharedMoment()
  readonly #held = new Map<string, Held>()
  readonly #ticking: NodeJS.Timeout
  #thread: Worker | undefined
  #closing = false

  constructor(databaseUrl: string, leaseMs: number) {
    this.#databaseUrl = databaseUrl
    this.leaseMs = leaseMs
    this.#ticking = setInterval(() => this.#tick(), TICK_MS)
    this.#ticking.unref()
  }

  /**
   * Renews a lease until it is released.
   * @param claimedAt {@link nowMs} from before the claim: the lease ends no sooner than its length after that
   */
  hold(lease: Lease, claimedAt: number): HeldLease {
    const deadline = sharedMoment()
    Atomics.store(deadline, 0, BigInt(Math.floor(claimedAt + this.leaseMs - marginOf(this.leaseMs))))
    const held: Held = { deadline, ended: new AbortController() }
    this.#held.set(lease.token, held)
    this.#tick()
    this.#order({ do: 'hold', lease, claimedAt, deadline })
    return {
      signal: held.ended.signal,
      stillHolds: () => !held.ended.signal.aborted && inTime(held),
      release: () => {
        this.#held.delete(lease.token)
        this.#order({ do: 'release', token: lease.token })
      },
    }
  }

  #tick(): void {
    Atomics.store(this.#alive, 0, BigInt(nowMs()))
    for (const held of this.#held.values()) if (!inTime(held)) held.ended.abort(new LeaseEnded('lost'))
  }

  #order(order: LeaseOrder): void {
    this.#thread ??= this.#start()
    this.#thread.postMessage(order)
  }

  #start(): Worker {
    const workerData: KeeperData = {
      databaseUrl: this.#databaseUrl,
      leaseMs: this.leaseMs,
      alive: this.#alive,
    }
    const thread = new Worker(new URL('./lease-thread.ts', import.meta.url), { workerData })
    thread.on('message', ({ token, is }: LeaseWord) => this.#held.get(token)?.ended.abort(new LeaseEnded(is)))
    // Without its thread nothing is renewed: deadlines pass. The next lease gets a new thread.
    thread.on('error', () => {})
    thread.on('exit', () => {
      if (this.#thread === thread && !this.#closing) this.#thread = undefined
    })
    return thread
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true
    clearInterval(this.#ticking)
    const thread = this.#thread
    if (!thread) return
    const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()))
    thread.postMessage({ do: 'close' } satisfies LeaseOrder)
    // A thread whose database does not answer does not end by itself.
    const late = setTimeout(() => void thread.terminate(), CLOSE_MS)
    await ended
    clearTimeout(late)
  }
}

function inTime({ deadline }: Held): boolean {
  return nowMs() < Number(Atomics.load(deadline, 0))
}

function sharedMoment(): BigInt64Array {
  return new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT))
}
