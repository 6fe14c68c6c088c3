import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** What a run of a whole process used: seconds, and the largest resident size in bytes where it is known. */
export type Used = { readonly cpu: number; readonly wall: number; readonly rss?: number }

const USAGE = fileURLToPath(new URL('./usage.js', import.meta.url))
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

/** Runs a shell pipeline; CPU is that of all its processes. */
export async function measureShell(script: string, ...args: string[]): Promise<Used> {
  const timed = `set -o pipefail; TIMEFORMAT='%R %U %S'; time { ${script}; } >/dev/null 2>&1`
  const { stderr } = await promisify(execFile)('bash', ['-c', timed, 'bash', ...args])
  const [wall = 0, user = 0, system = 0] = stderr.trim().split(' ').map(Number)
  return { cpu: user + system, wall }
}

/** Runs a program of this project on this Node; answers what it used and what it printed. */
export async function measureNode(...args: string[]): Promise<{ used: Used; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'record-broker-bench-'))
  const usage = join(folder, 'usage')
  try {
    const started = performance.now()
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', USAGE, ...args], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, BENCH_USAGE: usage },
      maxBuffer: MAX_OUTPUT_BYTES,
    })
    const wall = (performance.now() - started) / 1000
    const { cpu, rss } = JSON.parse(await readFile(usage, 'utf8')) as { cpu: number; rss: number }
    return { used: { cpu, wall, rss }, output: stdout }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
