import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type StopSignal = (typeof SIGNALS)[number]

/**
 * Terminals and wrappers signal every process of a group, so one Ctrl-C may arrive several times within this
 * time.
 */
const REPEATED_WITHIN_MS = 1_000

/** The exit status of a process that a signal ended, as shells report it. */
export function statusOfSignal(signal: StopSignal): number {
  return 128 + constants.signals[signal]
}

/**
 * Calls `action` on the first signal to stop. A second Ctrl-C, more than a second later, exits at once.
 * @returns a function that removes the listeners
 */
export function onStopSignal(action: (signal: StopSignal) => void): () => void {
  let firstAt: number | undefined
  const listener = (signal: NodeJS.Signals) => {
    if (firstAt === undefined) {
      firstAt = performance.now()
      action(signal as StopSignal)
    } else if (signal === 'SIGINT' && performance.now() - firstAt > REPEATED_WITHIN_MS) {
      process.exit(statusOfSignal(signal))
    }
  }
  for (const signal of SIGNALS) process.on(signal, listener)
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener)
  }
}
