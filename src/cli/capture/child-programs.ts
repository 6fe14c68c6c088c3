import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { constants as osConstants } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { CommandError } from '../failures/errors.ts'

/** How long a program that only starts or stops something may take. */
const PROGRAM_MS = 60_000

/** Returns the path of a program, as a shell finds it. */
export function findProgram(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return statSync(file).isFile()
      } catch {
        return false
      }
    })
}

/** Runs a program to its end. Returns its standard output. @throws CommandError with its standard error */
export async function runProgram(program: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { timeout: PROGRAM_MS })
    return stdout
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string }
    throw new CommandError('failed', `${program} ${args[0] ?? ''}: ${stderr.trim() || message}`, {
      cause: error,
    })
  }
}

/**
 * Starts a program whose standard output is this one's standard error: standard output belongs to the result of
 * the command line.
 */
export function startProgram(
  program: string,
  args: readonly string[],
  stdio: readonly ('inherit' | 'pipe' | 'ignore')[] = [],
): ChildProcess {
  return spawn(program, [...args], { stdio: ['inherit', 2, 2, ...stdio] })
}

/** Resolves when a process has ended, with its exit status; 128 and more for a signal, as in a shell. */
export function waitForExit(child: ChildProcess): Promise<number> {
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (status, signal) =>
      resolve(status ?? 128 + (signal ? osConstants.signals[signal] : 0)),
    )
  })
  // A program that cannot be started fails before anybody waits for it.
  exited.catch(() => undefined)
  return exited
}
