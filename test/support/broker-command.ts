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

/** The command lines that start the broker. Some of them start wrapper processes. */
export const LAUNCHERS = {
  'the entry point of the container': [process.execPath, MAIN],
  'bin/record-broker.js': [process.execPath, BIN],
  'npm start': ['npm', 'start', '--silent', '--'],
} as const
export type Launcher = keyof typeof LAUNCHERS

/** Returns the ids of the running processes whose environment contains a marker. */
export function findProcesses(mark: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const isZombie = / Z /.test(readFileSync(`/proc/${name}/stat`, 'utf8').replace(/\(.*\)/s, ''))
      return !isZombie && readFileSync(`/proc/${name}/environ`, 'utf8').includes(mark) ? [Number(name)] : []
    } catch {
      // The process has exited in the meantime.
      return []
    }
  })
}

/**
 * A command of the broker in a child process, with all processes that it starts. Their environment has a
 * marker.
 */
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

  /** Waits until the command has logged a message. */
  async waitForLog(message: string): Promise<void> {
    await expect
      .poll(() => this.#lines.some((line) => line.includes(`"msg":"${message}"`)), { timeout: 30_000 })
      .toBe(true)
  }

  /** Waits for the end of the command, and returns its exit status or signal. */
  async waitForExit(): Promise<number | string> {
    const [status, signal] = (await this.#exited) as [number | null, string | null]
    return status ?? signal ?? ''
  }

  /** Expects that the command and all processes that it started end. */
  async expectNoProcesses(): Promise<void> {
    await expect.poll(() => findProcesses(this.marker), { timeout: 30_000 }).toEqual([])
  }

  /** Kills the processes that still run. */
  [Symbol.dispose](): void {
    for (const pid of findProcesses(this.marker)) process.kill(pid, 'SIGKILL')
  }
}

/** Settings of a broker with a data folder of its own, on a free port. */
export const brokerSettings = (dataFolder: string, settings: Record<string, string> = {}) => ({
  RECORD_BROKER_DATA: dataFolder,
  RECORD_BROKER_LISTEN: '127.0.0.1:0',
  ...settings,
})
