/** What every role needs of its process: a log, a name, a look at its event loop. */
import { hostname } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { type Logger, pino } from 'pino'
import type { Config } from './config.ts'

/** How the name of a worker process begins in the database; what follows is different each time it starts. */
export function workerName(pid: number): string {
  return `${hostname()}:${pid}:`
}

export function logger(config: Config, role: string): Logger {
  return pino({ level: config.logLevel, base: { role, pid: process.pid } })
}

export function warn(log: Logger): (host: string, text: string) => void {
  return (host, text) => log.warn({ host }, `the registry warns: ${text}`)
}

/** How often the delay of the event loop is looked at, and what of it is worth a warning. */
const DELAY_EVERY_MS = 10_000
const DELAY_BOUND_MS = 250

/** Warns when the event loop stood still: something took the main thread, or the process, for longer than it may. */
export function watchEventLoop(log: Logger): Disposable {
  const delays = monitorEventLoopDelay()
  delays.enable()
  const looking = setInterval(() => {
    const longestMs = Math.round(delays.max / 1e6)
    if (longestMs > DELAY_BOUND_MS) log.warn({ longestMs }, 'the event loop stood still')
    delays.reset()
  }, DELAY_EVERY_MS).unref()
  return {
    [Symbol.dispose]: () => {
      clearInterval(looking)
      delays.disable()
    },
  }
}

/**
 * Does something now and then until `signal` aborts. What fails is logged, and done the next time.
 * @param act ends soon after the abort of the signal that it gets
 */
export async function repeatedly(
  everyMs: number,
  signal: AbortSignal,
  log: Logger,
  act: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await act(signal).catch((error: unknown) => log.warn({ err: error }, 'upkeep failed; it is tried again'))
    await delay(everyMs, undefined, { signal }).catch(() => {})
  }
}
