import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

const CHANNEL = 'record_broker'
const RECONNECT_MS = 1_000

/** What processes tell one another: that there is something to look for. A ring can be lost, so look now and then anyway. */
export interface Notifier {
  /** Whether rings of other processes arrive at present. */
  readonly acrossProcesses: boolean
  ring(topic: string): void
  /** Ends at the next ring, after `ms`, or when `signal` aborts; never fails. */
  wait(topic: string, ms: number, signal?: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Rings within this process. */
export class LocalNotifier implements Notifier {
  readonly acrossProcesses: boolean = false
  readonly #waiting = new Map<string, Set<() => void>>()

  ring(topic: string): void {
    for (const wake of this.#waiting.get(topic) ?? []) wake()
  }

  async wait(topic: string, ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return
    const rung = new AbortController()
    const wake = () => rung.abort()
    const waiting = this.#waiting.get(topic) ?? new Set()
    this.#waiting.set(topic, waiting.add(wake))
    const either = signal ? AbortSignal.any([rung.signal, signal]) : rung.signal
    await delay(ms, undefined, { signal: either }).catch(() => {})
    waiting.delete(wake)
    if (waiting.size === 0) this.#waiting.delete(topic)
  }

  async close(): Promise<void> {}
}

/** Rings between all processes on one PostgreSQL, by LISTEN and NOTIFY. The connection is made at the first wait. */
export class PostgresNotifier implements Notifier {
  readonly #local = new LocalNotifier()
  readonly #config: pg.ClientConfig
  readonly #notify: (channel: string, topics: readonly string[]) => Promise<unknown>
  readonly #closed = new AbortController()
  /** Topics to be sent; one statement is under way at a time, so that a burst is few notifications. */
  readonly #pending = new Set<string>()
  #sending = false
  #client: pg.Client | undefined
  #listening: Promise<void> | undefined

  constructor(
    config: pg.ClientConfig,
    notify: (channel: string, topics: readonly string[]) => Promise<unknown>,
  ) {
    this.#config = config
    this.#notify = notify
  }

  get acrossProcesses(): boolean {
    return this.#client !== undefined
  }

  ring(topic: string): void {
    this.#local.ring(topic)
    this.#pending.add(topic)
    if (!this.#sending) void this.#send()
  }

  async #send(): Promise<void> {
    this.#sending = true
    while (this.#pending.size > 0) {
      const topics = [...this.#pending]
      this.#pending.clear()
      await this.#notify(CHANNEL, topics).catch(() => {})
    }
    this.#sending = false
  }

  wait(topic: string, ms: number, signal?: AbortSignal): Promise<void> {
    this.#listening ??= this.#listen()
    return this.#local.wait(topic, ms, signal)
  }

  async #listen(): Promise<void> {
    const { signal } = this.#closed
    while (!signal.aborted) {
      const client = new pg.Client(this.#config)
      const ended = new Promise<void>((resolve) => {
        client.once('end', resolve)
        client.on('error', () => resolve())
      })
      try {
        client.on('notification', ({ payload }) => this.#local.ring(payload ?? ''))
        await client.connect()
        await client.query(`listen ${CHANNEL}`)
        this.#client = client
        await Promise.race([ended, aborted(signal)])
      } catch {
        // The database is away: it is tried again below, and waits end by their time until then.
      }
      this.#client = undefined
      await client.end().catch(() => {})
      await delay(RECONNECT_MS, undefined, { signal }).catch(() => {})
    }
  }

  async close(): Promise<void> {
    this.#closed.abort()
    await this.#listening
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
