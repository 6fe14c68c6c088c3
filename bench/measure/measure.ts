import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { WORKER_MEMORY } from '../../src/app/supervisor.ts'
import { ProcessMonitor } from './process-monitor.ts'

/** The resources that a program and its descendants used. */
export type ResourceUsage = {
  /** User and system time in seconds. */
  readonly cpu: number
  /** In seconds. */
  readonly wall: number
  /** The peak resident set size in bytes. */
  readonly peakRss: number
  /** The peak disk usage of temporary files in bytes. */
  readonly peakScratch: number
  /** The number of bytes written to disks, as the kernel counts them. Only known for Node programs. */
  readonly written?: number
}

export type MeasuredRun = { readonly usage: ResourceUsage; readonly output: string }

const USAGE = fileURLToPath(new URL('./usage.js', import.meta.url))
/** The `time` of Bash includes all processes of a pipeline, with a precision of a millisecond. */
const TIMED = 'TIMEFORMAT="%R %U %S"; { time "$@" 2>&3; } 3>&2 2>"$0"'

/**
 * Runs a program, and returns its resource usage and its output. Aborting kills the program and its process
 * group.
 * @throws Error with the standard error of the program if it fails
 */
export async function measure(
  command: readonly string[],
  signal: AbortSignal,
  environment: Record<string, string> = {},
): Promise<MeasuredRun> {
  const folder = await mkdtemp(join(tmpdir(), 'measure-'))
  try {
    const [times, scratch] = [join(folder, 'times'), join(folder, 'scratch')]
    await mkdir(scratch)
    signal.throwIfAborted()
    const child = spawn('bash', ['-c', TIMED, times, ...command], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment, TMPDIR: scratch },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const closed = once(child, 'close')
    const { pid } = child
    if (pid === undefined) throw new Error(`bash does not start: ${await closed}`)
    const monitor = new ProcessMonitor(pid, scratch)
    const abort = () => process.kill(-pid)
    signal.addEventListener('abort', abort)
    const [output, errors, [status]] = await Promise.all([text(child.stdout), buffer(child.stderr), closed])
    signal.removeEventListener('abort', abort)
    const peaks = monitor.stop()
    signal.throwIfAborted()
    if (status !== 0) throw new Error(`${command.join(' ')} exited with ${status}:\n${errors}`)
    const [wall = 0, user = 0, system = 0] = (await readFile(times, 'utf8')).split(' ').map(Number)
    return { usage: { cpu: user + system, wall, ...peaks }, output }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Measures a Node program of this project, with the memory settings that workers have. */
export async function measureNode(
  command: readonly string[],
  signal: AbortSignal,
  environment: Record<string, string> = {},
): Promise<MeasuredRun> {
  const folder = await mkdtemp(join(tmpdir(), 'usage-'))
  const usageFile = join(folder, 'usage')
  try {
    const { usage, output } = await measure([process.execPath, '--import', USAGE, ...command], signal, {
      // All runs share compiled sources, as on a machine that converts more than once.
      NODE_COMPILE_CACHE: join(tmpdir(), 'compile-cache'),
      ...WORKER_MEMORY,
      ...environment,
      BENCH_USAGE: usageFile,
    })
    const { rss, written } = JSON.parse(await readFile(usageFile, 'utf8')) as { rss: number; written: number }
    return { usage: { ...usage, peakRss: Math.max(usage.peakRss, rss), written }, output }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
