import { CommandError } from './errors.ts'

/** Returns the error of a command for a file that cannot be used. The message names the file. */
export function fileFailure(path: string, error: unknown): CommandError {
  const { message, code } = error as { message: string; code?: unknown }
  const label = typeof code === 'string' && !message.startsWith(code) ? `${code}: ` : ''
  return new CommandError('usage', `${fileName(path)}: ${label}${message}`, { cause: error })
}

/** Returns the error of a command for a file that cannot be read. */
export function unreadableFile(path: string, error: Error): CommandError {
  return new CommandError('usage', `${fileName(path)} cannot be read: ${error.message}`, { cause: error })
}

/** Returns how messages name the file of an argument: `-` is standard input. */
export function fileName(path: string): string {
  return path === '-' ? 'standard input' : path
}
