import { Worker } from 'node:worker_threads'
import { backoffMs } from '../../concurrency/backoff.ts'
import type { Lease } from '../job.ts'
import type { Logger } from '../logger.ts'
import {
  type LeaseCommand,
  type LeaseMessage,
  type LeaseThreadData,
  monotonicMs,
  safetyMarginMs,
} from './lease-protocol.ts'

/** How often the main thread gives a sign of life and checks the deadlines of its leases. */
const TICK_MS = 250
const CLOSE_TIMEOUT_MS = 5_000

/**
 * The number of consecutive threads that may end before becoming healthy. Their waits add up to a fraction of
 * a lease.
 */
const MAX_FAILED_THREADS = 6
const RESTART = { initialMs: 100, maxMs: 1_000, minShare: 0.5 }

/** The reason why the work under a lease has to stop. */
export class LeaseEndedError extends Error {
  override readonly name = 'LeaseEndedError'
  readonly kind: 'lost' | 'cancelled'
  constructor(kind: 'lost' | 'cancelled', message: string) {
    super(message)
    this.kind = kind
  }
}

/** A lease that is being renewed. `signal` aborts with a {@link LeaseEndedError}. */
export type HeldLease = {
  readonly signal: AbortSignal
  /** Whether the lease is valid by this process's own clock. */
  readonly isHeld: () => boolean
  /** Stops renewing the lease. */
  readonly release: () => void
}

type HoldCommand = LeaseCommand & { readonly kind: 'hold' }
type HeldEntry = { readonly command: HoldCommand; readonly ended: AbortController }

/**
 * Keeps the leases of this process valid by means of a thread, see `lease-thread.ts`. When the thread ends, a
 * new one takes over its leases.
 */
export class LeaseKeeper implements AsyncDisposable {
  readonly #leaseMs: number
  readonly #databaseUrl: string
  readonly #log: Pick<Logger, 'error'>
  /** Shared with the thread: the time of the main thread's last sign of life. */
  readonly #alive = createSharedTime()
  readonly #held = new Map<string, HeldEntry>()
  readonly #ticking: NodeJS.Timeout
  readonly #failing = new AbortController()
  #thread: Worker | undefined
  #restartTimer: NodeJS.Timeout | undefined
  /** The number of consecutive threads that ended before becoming healthy. */
  #failedThreads = 0
  #isClosing = false

  constructor(databaseUrl: string, leaseMs: number, log: Pick<Logger, 'error'>) {
    this.#databaseUrl = databaseUrl
    this.#log = log
    this.#leaseMs = leaseMs
    this.#ticking = setInterval(() => this.#tick(), TICK_MS)
    this.#ticking.unref()
  }

  /** Aborts when no thread can be kept running: leases are not renewed any more and expire after a while. */
  get failed(): AbortSignal {
    return this.#failing.signal
  }

  /**
   * Renews a lease until it is released.
   * @param claimedAt {@link monotonicMs} from before the claim: the lease does not expire earlier than its
   * length after it
   */
  hold(lease: Lease, claimedAt: number): HeldLease {
    const deadline = createSharedTime()
    Atomics.store(deadline, 0, BigInt(Math.floor(claimedAt + this.#leaseMs - safetyMarginMs(this.#leaseMs))))
    const command: HoldCommand = { kind: 'hold', lease, claimedAt, deadline }
    const entry: HeldEntry = { command, ended: new AbortController() }
    this.#held.set(lease.token, entry)
    this.#tick()
    // A starting thread receives all held leases.
    if (this.#thread) this.#thread.postMessage(command)
    else if (!this.#restartTimer) this.#startThread()
    return {
      signal: entry.ended.signal,
      isHeld: () => !entry.ended.signal.aborted && isBeforeDeadline(entry),
      release: () => {
        this.#held.delete(lease.token)
        this.#thread?.postMessage({ kind: 'release', token: lease.token } satisfies LeaseCommand)
      },
    }
  }

  #tick(): void {
    Atomics.store(this.#alive, 0, BigInt(monotonicMs()))
    for (const entry of this.#held.values()) {
      if (isBeforeDeadline(entry)) continue
      entry.ended.abort(new LeaseEndedError('lost', 'the lease was not renewed in time'))
    }
  }

  #startThread(): void {
    this.#restartTimer = undefined
    if (this.#isClosing || this.failed.aborted) return
    const workerData: LeaseThreadData = {
      databaseUrl: this.#databaseUrl,
      leaseMs: this.#leaseMs,
      alive: this.#alive,
    }
    let thread: Worker
    try {
      thread = new Worker(new URL('./lease-thread.ts', import.meta.url), { workerData })
    } catch (error) {
      // The system lacks the resources for another thread.
      this.#onThreadEnd(error)
      return
    }
    this.#thread = thread
    let cause: unknown
    thread.on('message', (message: LeaseMessage) => this.#onMessage(message))
    thread.on('error', (error) => {
      cause = error
    })
    thread.on('exit', (status) => this.#onThreadEnd(cause ?? new Error(`it ended with status ${status}`)))
    for (const { command } of this.#held.values()) thread.postMessage(command)
  }

  #onMessage(message: LeaseMessage): void {
    if (message.kind === 'healthy') this.#failedThreads = 0
    else this.#held.get(message.token)?.ended.abort(leaseEndedError(message.kind))
  }

  /** Without a thread nothing is renewed and the deadlines pass, so a new one is started. */
  #onThreadEnd(err: unknown): void {
    this.#thread = undefined
    if (this.#isClosing) return
    this.#failedThreads += 1
    if (this.#failedThreads === MAX_FAILED_THREADS) {
      const message = `the thread that renews leases ended ${MAX_FAILED_THREADS} times before it renewed any`
      this.#log.error({ err }, message)
      this.#failing.abort(new Error(message, { cause: err }))
      return
    }
    this.#log.error({ err }, 'the thread that renews leases ended; a new one takes over')
    const isFirst = this.#failedThreads === 1
    const waitMs = isFirst ? 0 : backoffMs(RESTART, this.#failedThreads - 1, Math.random())
    this.#restartTimer = setTimeout(() => this.#startThread(), waitMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true
    clearInterval(this.#ticking)
    clearTimeout(this.#restartTimer)
    const thread = this.#thread
    if (!thread) return
    const exited = new Promise<void>((resolve) => thread.once('exit', () => resolve()))
    thread.postMessage({ kind: 'close' } satisfies LeaseCommand)
    // A thread whose database does not respond does not end by itself.
    const closeTimer = setTimeout(() => void thread.terminate(), CLOSE_TIMEOUT_MS)
    await exited
    clearTimeout(closeTimer)
  }
}

function leaseEndedError(kind: 'lost' | 'cancelled'): LeaseEndedError {
  return kind === 'cancelled'
    ? new LeaseEndedError(kind, 'the job was cancelled')
    : new LeaseEndedError(kind, 'the lease expired, or another worker claimed the job')
}

function isBeforeDeadline({ command }: HeldEntry): boolean {
  return monotonicMs() < Number(Atomics.load(command.deadline, 0))
}

function createSharedTime(): BigInt64Array {
  return new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT))
}
