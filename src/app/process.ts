/** What every role needs of its process: a log, a name, and a watch on its event loop. */
import { hostname } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { type Logger, pino } from 'pino'
import type { Config } from './config.ts'

/** The prefix of a worker's name in the database; each start appends a different suffix. */
export function workerName(pid: number): string {
  return `${hostname()}:${pid}:`
}

export function logger(config: Config, role: string): Logger {
  return pino({ level: config.logLevel, base: { role, pid: process.pid } })
}

export function warn(log: Logger): (host: string, text: string) => void {
  return (host, text) => log.warn({ host }, `warning from the registry: ${text}`)
}

/** Interval between checks of the event loop's delay, and the delay that is worth a warning. */
const DELAY_CHECK_MS = 10_000
const DELAY_BOUND_MS = 250

/**
 * Warns when the event loop was blocked: something kept the main thread busy, or the process was suspended.
 */
export function watchEventLoop(log: Logger): Disposable {
  const delays = monitorEventLoopDelay()
  delays.enable()
  const checking = setInterval(() => {
    const longestMs = Math.round(delays.max / 1e6)
    if (longestMs > DELAY_BOUND_MS) log.warn({ longestMs }, 'the event loop was blocked')
    delays.reset()
  }, DELAY_CHECK_MS).unref()
  return {
    [Symbol.dispose]: () => {
      clearInterval(checking)
      delays.disable()
    },
  }
}

/**
 * Repeats an action at an interval until `signal` aborts. A failure is logged, and the action runs again at
 * the next interval.
 * @param action settles soon after the signal that it receives aborts
 */
export async function repeatedly(
  everyMs: number,
  signal: AbortSignal,
  log: Logger,
  action: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await action(signal).catch((error: unknown) =>
      log.warn({ err: error }, 'a maintenance task failed; it runs again at the next interval'),
    )
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}
