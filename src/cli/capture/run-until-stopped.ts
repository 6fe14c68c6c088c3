import { signalTree } from './processes.ts'

/** How long the command may take to end after SIGTERM. */
const GRACE_MS = 10_000

/**
 * Waits for the end of a command. When the signal aborts, or the time has passed, the command gets SIGTERM, and
 * SIGKILL if it does not end.
 * @param pids returns the processes to end; those that they started end with them
 * @returns what `ended` resolved with, and whether the command was stopped
 */
export async function runUntilStopped<Result>(
  ended: Promise<Result>,
  pids: () => readonly number[],
  options: { readonly signal: AbortSignal; readonly seconds?: number | undefined },
): Promise<{ readonly result: Result; readonly wasStopped: boolean }> {
  const { signal, seconds } = options
  let grace: NodeJS.Timeout | undefined
  let wasStopped = false
  const end = (with_: NodeJS.Signals) => {
    for (const pid of pids()) signalTree(pid, with_)
  }
  const stop = () => {
    if (wasStopped) return
    wasStopped = true
    end('SIGTERM')
    grace = setTimeout(() => end('SIGKILL'), GRACE_MS)
  }
  const timer = seconds === undefined ? undefined : setTimeout(stop, seconds * 1000)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    return { result: await ended, wasStopped }
  } finally {
    clearTimeout(timer)
    clearTimeout(grace)
    signal.removeEventListener('abort', stop)
  }
}
