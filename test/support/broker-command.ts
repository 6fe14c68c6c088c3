import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { isolatedEnvironment } from './broker-process.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const BIN = fileURLToPath(new URL('../../bin/record-broker.js', import.meta.url))

/** The ways to start the broker: each is a process of its own, or several. */
export const LAUNCHERS = {
  'the entry of the container': [process.execPath, MAIN],
  'bin/record-broker.js': [process.execPath, BIN],
  'npm start': ['npm', 'start', '--silent', '--'],
} as const
export type Launcher = keyof typeof LAUNCHERS

/** Processes that have this in their environment. */
export function findProcesses(mark: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const isZombie = / Z /.test(readFileSync(`/proc/${name}/stat`, 'utf8').replace(/\(.*\)/s, ''))
      return !isZombie && readFileSync(`/proc/${name}/environ`, 'utf8').includes(mark) ? [Number(name)] : []
    } catch {
      // It ended meanwhile.
      return []
    }
  })
}

/** A command that runs by itself, and the processes that it starts. */
export class BrokerCommand {
  readonly child: ChildProcess
  readonly marker = randomUUID()
  readonly #lines: string[] = []
  #errors = ''
  readonly #exited: Promise<unknown[]>

  constructor(way: Launcher, command: readonly string[], settings: Record<string, string>) {
    const [program = '', ...options] = LAUNCHERS[way]
    this.child = spawn(program, [...options, ...command], {
      cwd: ROOT,
      env: isolatedEnvironment({ MARK: this.marker, ...settings }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#exited = once(this.child, 'exit')
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.#lines.push(line),
    )
    this.child.stderr?.on('data', (text: Buffer) => {
      this.#errors += text
    })
  }

  get stderr(): string {
    return this.#errors
  }

  /** Until it logs this. */
  async waitForLog(message: string): Promise<void> {
    await expect
      .poll(() => this.#lines.some((line) => line.includes(`"msg":"${message}"`)), { timeout: 30_000 })
      .toBe(true)
  }

  /** The exit status, or the signal. */
  async waitForExit(): Promise<number | string> {
    const [status, signal] = (await this.#exited) as [number | null, string | null]
    return status ?? signal ?? ''
  }

  async expectNoProcesses(): Promise<void> {
    await expect.poll(() => findProcesses(this.marker), { timeout: 30_000 }).toEqual([])
  }

  /** Ends all that is left of it. */
  [Symbol.dispose](): void {
    for (const pid of findProcesses(this.marker)) process.kill(pid, 'SIGKILL')
  }
}

/** Settings of a broker of its own. */
export const brokerSettings = (data: string, more: Record<string, string> = {}) => ({
  RECORD_BROKER_DATA: data,
  RECORD_BROKER_LISTEN: '127.0.0.1:0',
  ...more,
})
