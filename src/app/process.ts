/** What every role needs of its process: a log, a name, and a watch on its event loop. */
import { hostname } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { type Logger, pino } from 'pino'
import { jobLogFields } from '../jobs/worker/job-log-fields.ts'
import { traceIds } from '../tracing/trace-context.ts'
import type { Config } from './config/config.ts'

/** The prefix of a worker's name in the database; each start appends a different suffix. */
export function workerName(pid: number): string {
  return `${hostname()}:${pid}:`
}

export function logger(config: Config, role: string): Logger {
  return pino({
    level: config.logLevel,
    base: { role, pid: process.pid },
    mixin: () => ({ ...jobLogFields(), ...traceIds() }),
    serializers: { req: requestFields },
    redact: { paths: SECRET_FIELDS, censor: '[redacted]' },
  })
}

/**
 * Fields that no line contains. Nothing logs them on purpose: errors of libraries may carry the headers of a
 * request.
 */
const SECRET_FIELDS = ['authorization', 'cookie', 'password', 'token'].flatMap((name) => [
  name,
  `*.${name}`,
  `*.headers.${name}`,
  `*.*.headers.${name}`,
])

/** The request in lines of the HTTP server itself: without the query and the headers. */
function requestFields(request: { readonly method?: string; readonly url?: string }): object {
  return { method: request.method, path: request.url?.split('?', 1)[0] }
}

export function warn(log: Logger): (host: string, text: string) => void {
  return (host, text) => log.warn({ host }, `warning from the registry: ${text}`)
}

/** Interval between checks of the event loop's delay, and the delay that is worth a warning. */
const DELAY_CHECK_MS = 10_000
const DELAY_BOUND_MS = 250

/** The number of checks whose longest delay {@link EventLoopWatch.longestMs} returns. */
const REMEMBERED_CHECKS = 6

/** `longestMs` returns the longest delay of the event loop within the last minute, in milliseconds. */
export type EventLoopWatch = Disposable & { longestMs(): number }

/**
 * Warns when the event loop was blocked: something kept the main thread busy, or the process was suspended.
 */
export function watchEventLoop(log: Logger): EventLoopWatch {
  const delays = monitorEventLoopDelay()
  delays.enable()
  const previous: number[] = []
  const checking = setInterval(() => {
    const longestMs = delays.max / 1e6
    if (longestMs > DELAY_BOUND_MS) {
      log.warn({ longestMs: Math.round(longestMs) }, 'the event loop was blocked')
    }
    previous.push(longestMs)
    if (previous.length > REMEMBERED_CHECKS) previous.shift()
    delays.reset()
  }, DELAY_CHECK_MS).unref()
  return {
    longestMs: () => Math.max(delays.max / 1e6, ...previous),
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
