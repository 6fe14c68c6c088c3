import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { CommandError } from '../failures/errors.ts'
import { startProgram, waitForExit } from './child-programs.ts'
import { isRunning } from './processes.ts'

const POLL_MS = 20
/** How long fatrace may take until it watches the file systems. */
const READY_MS = 10_000
/** How long fatrace may take to complete its log. */
const STOP_MS = 10_000

/** A running fatrace, which sees the files that any process of the machine opens. */
export type Watching = {
  /** Ends it, and resolves when its log is complete. @throws CommandError if it is not */
  readonly stop: () => Promise<void>
}

/** Starts fatrace, which needs root. Resolves when it watches. @throws CommandError */
export async function startFatrace(output: string): Promise<Watching> {
  const child = startProgram('fatrace', ['-o', output])
  const exited = waitForExit(child)
  const pid = child.pid ?? 0
  const deadline = performance.now() + READY_MS
  while (!isWatching(pid)) {
    if (!isRunning(pid) || performance.now() > deadline) {
      child.kill('SIGKILL')
      throw new CommandError(
        'failed',
        `fatrace ended with status ${await exited} before it watched; run the command as root`,
      )
    }
    await delay(POLL_MS)
  }
  return {
    stop: async () => {
      child.kill('SIGINT')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      const status = await exited
      clearTimeout(timer)
      if (status === 0) return
      throw new CommandError('failed', `fatrace ended with status ${status}: its log is incomplete`)
    },
  }
}

/** Whether a process has a fanotify descriptor with a mark (proc(5), fdinfo). */
function isWatching(pid: number): boolean {
  try {
    const folder = `/proc/${pid}/fdinfo`
    return readdirSync(folder).some((fd) =>
      /^fanotify (mnt_id|sdev|ino)/m.test(readFileSync(`${folder}/${fd}`, 'utf8')),
    )
  } catch {
    return false
  }
}
