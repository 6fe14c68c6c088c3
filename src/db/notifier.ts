import { setTimeout as delay } from 'node:timers/promises'

/**
 * Publishes and awaits notifications, by topic. A notification carries no data and may be lost, so a waiter
 * also polls from time to time.
 */
export interface Notifier {
  /** Whether notifications of other processes currently arrive. */
  readonly isCrossProcess: boolean
  notify(topic: string): void
  /** Resolves at the next notification, after `ms`, or when `signal` aborts. Never rejects. */
  wait(topic: string, ms: number, signal?: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Notifications within this process. */
export class LocalNotifier implements Notifier {
  readonly isCrossProcess: boolean = false
  readonly #waiters = new Map<string, Set<() => void>>()

  notify(topic: string): void {
    for (const wake of this.#waiters.get(topic) ?? []) wake()
  }

  async wait(topic: string, ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return
    const notified = new AbortController()
    const wake = () => notified.abort()
    const waiters = this.#waiters.get(topic) ?? new Set()
    this.#waiters.set(topic, waiters.add(wake))
    const waitSignal = signal ? AbortSignal.any([notified.signal, signal]) : notified.signal
    await delay(ms, undefined, { signal: waitSignal }).catch(() => {})
    waiters.delete(wake)
    if (waiters.size === 0) this.#waiters.delete(topic)
  }

  async close(): Promise<void> {}
}
