import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { LocalNotifier, type Notifier } from '../notifier.ts'

const CHANNEL = 'record_broker'
const RECONNECT_MS = 1_000

type SendNotifications = (channel: string, topics: readonly string[]) => Promise<unknown>

/**
 * Notifications between all processes on one PostgreSQL, by LISTEN and NOTIFY. The first wait opens the
 * listening connection.
 */
export class PostgresNotifier implements Notifier {
  readonly #local = new LocalNotifier()
  readonly #config: pg.ClientConfig
  readonly #sendNotifications: SendNotifications
  readonly #closed = new AbortController()
  /** Topics to send. One statement runs at a time, so a burst of notifications needs few statements. */
  readonly #pending = new Set<string>()
  #sending = false
  #client: pg.Client | undefined
  #listening: Promise<void> | undefined

  constructor(config: pg.ClientConfig, sendNotifications: SendNotifications) {
    this.#config = config
    this.#sendNotifications = sendNotifications
  }

  get isCrossProcess(): boolean {
    return this.#client !== undefined
  }

  notify(topic: string): void {
    this.#local.notify(topic)
    this.#pending.add(topic)
    if (!this.#sending) void this.#sendPending()
  }

  async #sendPending(): Promise<void> {
    this.#sending = true
    while (this.#pending.size > 0) {
      const topics = [...this.#pending]
      this.#pending.clear()
      await this.#sendNotifications(CHANNEL, topics).catch(() => {})
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
      const disconnected = new Promise<void>((resolve) => {
        client.once('end', resolve)
        client.on('error', () => resolve())
      })
      try {
        client.on('notification', ({ payload }) => this.#local.notify(payload ?? ''))
        await client.connect()
        await client.query(`listen ${CHANNEL}`)
        this.#client = client
        await Promise.race([disconnected, untilAborted(signal)])
      } catch {
        // The database is unreachable: the loop reconnects, and waits time out until then.
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

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
