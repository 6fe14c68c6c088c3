import { createReadStream } from 'node:fs'
import { text as readText } from 'node:stream/consumers'
import { CommandError } from './failures/errors.ts'

/** Reads a text file, or standard input (`-`). @throws CommandError that names the file */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await readText(path === '-' ? process.stdin : createReadStream(path))
  } catch (error) {
    throw new CommandError('usage', `${path} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

/** Parses the JSON object of a file. @throws CommandError that names the file */
export function parseJsonObject(path: string, text: string): Record<string, unknown> {
  const name = path === '-' ? 'standard input' : path
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new CommandError('usage', `${name} is not JSON: ${(error as Error).message}`, { cause: error })
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new CommandError('usage', `${name}: expected a JSON object`)
}
