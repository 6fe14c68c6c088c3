import { CommandError } from './errors.ts'

/** Returns the error of a command for a file that cannot be used. The message names the file. */
export function fileFailure(path: string, error: unknown): CommandError {
  const name = path === '-' ? 'standard input' : path
  const { message, code } = error as { message: string; code?: unknown }
  const label = typeof code === 'string' && !message.startsWith(code) ? `${code}: ` : ''
  return new CommandError('usage', `${name}: ${label}${message}`, { cause: error })
}
