import { Worker } from 'node:worker_threads'
import { backoffMs } from '../../concurrency/backoff.ts'
import type { Lease } from '../job.ts'
import { type KeeperData, type LeaseOrder, type LeaseWord, marginOf, nowMs } from './lease-terms.ts'

/** How often the main thread shows that it moves, and looks at the clock. */
const TICK_MS = 250
const CLOSE_MS = 5_000

/** Threads in a row that may end before one of them has kept its leases. The waits come to a fraction of a lease. */
const MAX_ENDED = 6
const AGAIN = { firstMs: 100, longestMs: 1_000, least: 0.5 }

/** Why the work under a lease has to stop. */
export class LeaseEnded extends Error {
  override readonly name = 'LeaseEnded'
  readonly reason: 'lost' | 'cancelled'
  constructor(reason: 'lost' | 'cancelled', message: string) {
    super(message)
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

type HoldOrder = LeaseOrder & { readonly do: 'hold' }
type Held = { readonly order: HoldOrder; readonly ended: AbortController }

/** The part of a logger that a keeper needs. */
export type KeeperLog = { error(fields: object, message: string): void }

/**
 * Keeps the leases of this process, see `lease-thread.ts`. A thread that ends has a successor, which takes its leases over.
 */
export class LeaseKeeper implements AsyncDisposable {
  readonly leaseMs: number
  readonly #databaseUrl: string
  readonly #log: KeeperLog
  readonly #alive = sharedMoment()
  readonly #held = new Map<string, Held>()
  readonly #ticking: NodeJS.Timeout
  readonly #failing = new AbortController()
  #thread: Worker | undefined
  #restart: NodeJS.Timeout | undefined
  /** Threads in a row that ended before they kept their leases. */
  #ended = 0
  #closing = false

  constructor(databaseUrl: string, leaseMs: number, log: KeeperLog) {
    this.#databaseUrl = databaseUrl
    this.#log = log
    this.leaseMs = leaseMs
    this.#ticking = setInterval(() => this.#tick(), TICK_MS)
    this.#ticking.unref()
  }

  /** Aborts when no thread can be kept running: no lease is renewed any more, and those that hold do so for a while only. */
  get failed(): AbortSignal {
    return this.#failing.signal
  }

  /**
   * Renews a lease until it is released.
   * @param claimedAt {@link nowMs} from before the claim: the lease ends no sooner than its length after that
   */
  hold(lease: Lease, claimedAt: number): HeldLease {
    const deadline = sharedMoment()
    Atomics.store(deadline, 0, BigInt(Math.floor(claimedAt + this.leaseMs - marginOf(this.leaseMs))))
    const order: HoldOrder = { do: 'hold', lease, claimedAt, deadline }
    const held: Held = { order, ended: new AbortController() }
    this.#held.set(lease.token, held)
    this.#tick()
    // A thread that starts gets all that is held.
    if (this.#thread) this.#thread.postMessage(order)
    else if (!this.#restart) this.#start()
    return {
      signal: held.ended.signal,
      stillHolds: () => !held.ended.signal.aborted && inTime(held),
      release: () => {
        this.#held.delete(lease.token)
        this.#thread?.postMessage({ do: 'release', token: lease.token } satisfies LeaseOrder)
      },
    }
  }

  #tick(): void {
    Atomics.store(this.#alive, 0, BigInt(nowMs()))
    for (const held of this.#held.values()) {
      if (!inTime(held)) held.ended.abort(new LeaseEnded('lost', 'the lease was not renewed in time'))
    }
  }

  #start(): void {
    this.#restart = undefined
    if (this.#closing || this.failed.aborted) return
    const workerData: KeeperData = {
      databaseUrl: this.#databaseUrl,
      leaseMs: this.leaseMs,
      alive: this.#alive,
    }
    let thread: Worker
    try {
      thread = new Worker(new URL('./lease-thread.ts', import.meta.url), { workerData })
    } catch (error) {
      // The system has no room for a thread.
      this.#gone(error)
      return
    }
    this.#thread = thread
    let cause: unknown
    thread.on('message', (word: LeaseWord) => this.#hear(word))
    thread.on('error', (error) => {
      cause = error
    })
    thread.on('exit', (status) => this.#gone(cause ?? new Error(`it ended with status ${status}`)))
    for (const { order } of this.#held.values()) thread.postMessage(order)
  }

  #hear(word: LeaseWord): void {
    if (word.is === 'kept') this.#ended = 0
    else this.#held.get(word.token)?.ended.abort(endedAs(word.is))
  }

  /** Without a thread nothing is renewed, and deadlines pass. */
  #gone(err: unknown): void {
    this.#thread = undefined
    if (this.#closing) return
    this.#ended += 1
    if (this.#ended === MAX_ENDED) {
      const message = `the thread that renews leases ended ${MAX_ENDED} times before it renewed any`
      this.#log.error({ err }, message)
      this.#failing.abort(new Error(message, { cause: err }))
      return
    }
    this.#log.error({ err }, 'the thread that renews leases ended; another one takes them over')
    const waitMs = this.#ended === 1 ? 0 : backoffMs(AGAIN, this.#ended - 1, Math.random())
    this.#restart = setTimeout(() => this.#start(), waitMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true
    clearInterval(this.#ticking)
    clearTimeout(this.#restart)
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

function endedAs(reason: 'lost' | 'cancelled'): LeaseEnded {
  return reason === 'cancelled'
    ? new LeaseEnded(reason, 'the job was cancelled')
    : new LeaseEnded(reason, 'the lease is lost: it ran out, or another worker took the job up')
}

function inTime({ order }: Held): boolean {
  return nowMs() < Number(Atomics.load(order.deadline, 0))
}

function sharedMoment(): BigInt64Array {
  return new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT))
}
