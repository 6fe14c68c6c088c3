import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type StopSignal = (typeof SIGNALS)[number]

/** A terminal tells every process of a group, and so do wrappers: the same wish may come several times at once. */
const REPEATED_WITHIN_MS = 1_000

/** The exit status of a process that a signal ended, as shells report it. */
export function statusOfSignal(signal: StopSignal): number {
  return 128 + constants.signals[signal]
}

/**
 * Calls `act` at the first signal that asks this process to stop. Ctrl-C pressed once more, later than that, ends it at
 * once.
 * @returns what ends the listening
 */
export function onStopSignal(act: (signal: StopSignal) => void): () => void {
  let firstAt: number | undefined
  const listener = (signal: NodeJS.Signals) => {
    if (firstAt === undefined) {
      firstAt = performance.now()
      act(signal as StopSignal)
    } else if (signal === 'SIGINT' && performance.now() - firstAt > REPEATED_WITHIN_MS) {
      process.exit(statusOfSignal(signal))
    }
  }
  for (const signal of SIGNALS) process.on(signal, listener)
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener)
  }
}
