import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CommandError } from '../failures/errors.ts'
import { startProgram, waitForExit } from './child-programs.ts'

/** Follows every process, and writes each open and each start of a program with the paths that they mean. */
const OPTIONS = ['-f', '-y', '-e', 'trace=open,openat,openat2,execve,execveat']

/** How many lines of strace an error quotes. */
const MAX_MESSAGES = 20

/** The end of a process. strace pads the process id to five characters. */
const EXITED = /^(\d+) +\+\+\+ exited with (\d+) \+\+\+$/

/** A running strace. */
export type Tracing = {
  /** The process whose children, and theirs, are those of the command. */
  readonly pid: number
  /** The exit status of strace. */
  readonly ended: Promise<number>
}

/** Runs a command on this machine under strace, which ends with the status of the command. */
export function traceCommand(command: readonly string[], output: string): Tracing {
  const child = startProgram('strace', [...OPTIONS, '-o', output, '--', ...command])
  return tracing(child)
}

/** Attaches strace to a process. Resolves when it has. @throws CommandError with the messages of strace */
export async function attachTo(pid: number, output: string): Promise<Tracing> {
  // In a process group of its own: Ctrl-C is for the command, whose end strace sees.
  const child = spawn('strace', [...OPTIONS, '-o', output, '-p', `${pid}`], {
    stdio: ['ignore', 2, 'pipe'],
    detached: true,
  })
  const started = tracing(child)
  const messages: string[] = []
  const lines = createInterface({ input: child.stderr as Readable })
  const attached = new Promise<boolean>((resolve) => {
    lines.on('line', (line) => {
      // strace has a line for each process that the command starts.
      if (messages.length < MAX_MESSAGES) messages.push(line)
      if (/ attached( |$)/.test(line)) resolve(true)
    })
    void once(lines, 'close').then(() => resolve(false))
  })
  if (await attached) return started
  await started.ended
  throw new CommandError(
    'failed',
    `strace cannot attach to the sandbox: ${messages.join('; ')}; run the command as root`,
  )
}

function tracing(child: ChildProcess): Tracing {
  return { pid: child.pid ?? 0, ended: waitForExit(child) }
}

/**
 * Copies a log without what a sandbox did before it ran the command, which is everything before the first program.
 * @returns the exit status of the command; undefined if a signal ended it
 */
export async function copySandboxLog(from: string, to: string): Promise<number | undefined> {
  let command: string | undefined
  let status: number | undefined
  const log = async function* () {
    for await (const line of createInterface({ input: createReadStream(from) })) {
      command ??= /^(\d+) +execve(?:at)?\(/.exec(line)?.[1]
      if (command === undefined) continue
      const [, pid, ended] = EXITED.exec(line) ?? []
      if (pid === command) status = Number(ended)
      yield `${line}\n`
    }
  }
  await pipeline(log(), createWriteStream(to))
  return status
}
