import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { WORKER_MEMORY } from '../../src/app/supervisor.ts'
import { ProcessMonitor } from './process-monitor.ts'

/** What one run of a program used, with all processes that it started. */
export type ResourceUsage = {
  /** Seconds, user and system. */
  readonly cpu: number
  /** Seconds. */
  readonly wall: number
  /** Peak resident size in bytes. */
  readonly peakRss: number
  /** The most bytes of disk that its temporary files took at a time. */
  readonly peakScratch: number
  /** Bytes that it gave to disks in all, by the kernel's count; known of programs of this project. */
  readonly written?: number
}

const USAGE = fileURLToPath(new URL('./usage.js', import.meta.url))
/** Bash's own `time` counts every process of a pipeline, to the millisecond. */
const TIMED = 'TIMEFORMAT="%R %U %S"; { time "$@" 2>&3; } 3>&2 2>"$0"'

/** Runs a program to its end; answers what it used and what it printed. An abort ends it with all it started. */
export async function measure(
  command: readonly string[],
  signal: AbortSignal,
  environment: Record<string, string> = {},
): Promise<{ used: ResourceUsage; output: string }> {
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
    const watch = new ProcessMonitor(pid, scratch)
    const abort = () => process.kill(-pid)
    signal.addEventListener('abort', abort)
    const [output, errors, [status]] = await Promise.all([text(child.stdout), buffer(child.stderr), closed])
    signal.removeEventListener('abort', abort)
    const seen = watch.stop()
    signal.throwIfAborted()
    if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}:\n${errors}`)
    const [wall = 0, user = 0, system = 0] = (await readFile(times, 'utf8')).split(' ').map(Number)
    return { used: { cpu: user + system, wall, ...seen }, output }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Runs a program of this project on this Node, with the memory that workers are given. */
export async function measureNode(
  command: readonly string[],
  signal: AbortSignal,
  environment: Record<string, string> = {},
): Promise<{ used: ResourceUsage; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'usage-'))
  const usage = join(folder, 'usage')
  try {
    const { used, output } = await measure([process.execPath, '--import', USAGE, ...command], signal, {
      // Compiled sources are kept from run to run, as on a machine that converts more than once.
      NODE_COMPILE_CACHE: join(tmpdir(), 'compile-cache'),
      ...WORKER_MEMORY,
      ...environment,
      BENCH_USAGE: usage,
    })
    const { rss, written } = JSON.parse(await readFile(usage, 'utf8')) as { rss: number; written: number }
    return { used: { ...used, peakRss: Math.max(used.peakRss, rss), written }, output }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
