import { ConfigError } from '../app/config/config.ts'
import { CommandError, InterruptedError } from './failures/errors.ts'
import { exitStatusOf } from './failures/exit-status.ts'
import { createProgram, type Roles } from './program.ts'

/**
 * Runs the command that the arguments name. A failure prints one line on standard error and sets the exit
 * status, which says what kind of failure it is.
 */
export async function runCommandLine(argv: readonly string[], roles: Roles): Promise<void> {
  // A reader such as `head` that has seen enough is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  try {
    await createProgram(roles).parseAsync(argv)
  } catch (error) {
    process.stderr.write(`record-broker: ${failureText(error)}\n`)
    process.exitCode = exitStatusOf(error)
  }
}

function failureText(error: unknown): string {
  const { message, code } = error as { message: string; code?: unknown }
  const isComplete =
    error instanceof ConfigError || error instanceof CommandError || error instanceof InterruptedError
  const label = isComplete || typeof code !== 'string' ? '' : `${code}: `
  return `${label}${message.replaceAll('\n', ' ')}`
}
