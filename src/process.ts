/** What both roles need of a process: its log, its name, and an ordered end. */
import { hostname } from 'node:os'
import closeWithGrace from 'close-with-grace'
import { type Logger, pino } from 'pino'
import type { Config } from './config.ts'

/** For what follows the grace time of jobs: handing back, and closing. */
const CLOSING_MS = 20_000

/** How the name of a worker process begins in the database; what follows is different each time it starts. */
export function workerName(pid: number): string {
  return `${hostname()}:${pid}:`
}

/** What is deferred to it is done in reverse order when the process is told to end, or fails. */
export function closing(log: Logger, { graceMs }: Pick<Config, 'graceMs'>): AsyncDisposableStack {
  const stack = new AsyncDisposableStack()
  const { close } = closeWithGrace(
    { delay: graceMs + CLOSING_MS, logger: false },
    async ({ signal, err }) => {
      if (err) log.fatal({ err }, 'stopping after an error')
      else log.info({ signal }, 'stopping')
      await stack.disposeAsync()
    },
  )
  process.once('disconnect', close)
  return stack
}

export function logger(config: Config, role: string): Logger {
  return pino({ level: config.logLevel, base: { role, pid: process.pid } })
}

export function warn(log: Logger): (host: string, text: string) => void {
  return (host, text) => log.warn({ host }, `the registry warns: ${text}`)
}
