import { readFileSync } from 'node:fs'

/** Whether a process of this machine runs. A zombie does not. */
export function isRunning(pid: number): boolean {
  try {
    // The name of the program, in parentheses, may contain anything.
    return !/^ Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\)/s, ''))
  } catch {
    return false
  }
}

/** Returns a process and all that it started, the process first. */
export function withDescendants(pid: number): number[] {
  const found = [pid]
  for (const parent of found) {
    try {
      const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'latin1')
      found.push(...children.split(' ').filter(Boolean).map(Number))
    } catch {
      // It has ended meanwhile.
    }
  }
  return found
}

/** Sends a signal to a process and to all that it started. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  for (const one of withDescendants(pid)) {
    try {
      process.kill(one, signal)
    } catch {
      // It has ended meanwhile.
    }
  }
}
