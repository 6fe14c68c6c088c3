import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isolatedEnvironment } from './broker-process.ts'

const BIN = fileURLToPath(new URL('../../bin/record-broker.js', import.meta.url))

export type CommandResult = { readonly status: number; readonly out: string; readonly err: string }

/** The program and the arguments of a command line, with the Node that runs the tests. */
export function commandLine(args: readonly string[]): string[] {
  return [process.execPath, BIN, ...args]
}

/** Runs a command with pipes, and returns its exit status and what it wrote. */
export function command(
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
  input?: string,
): Promise<CommandResult> {
  const [program = '', ...rest] = commandLine(args)
  return new Promise((resolve) => {
    const child = execFile(program, rest, { env: isolatedEnvironment(settings) }, (error, out, err) => {
      resolve({ status: error ? Number(error.code) : 0, out, err })
    })
    child.stdin?.end(input)
  })
}
