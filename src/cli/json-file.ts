import { createReadStream } from 'node:fs'
import { text as readText } from 'node:stream/consumers'
import { CommandError } from './failures/errors.ts'
import { fileName, unreadableFile } from './failures/file-failure.ts'

/** Reads a text file, or standard input (`-`). @throws CommandError that names the file */
export async function readTextFile(path: string): Promise<string> {
  try {
    return await readText(path === '-' ? process.stdin : createReadStream(path))
  } catch (error) {
    throw unreadableFile(path, error as Error)
  }
}

/** Parses the JSON object of a file. @throws CommandError that names the file */
export function parseJsonObject(path: string, text: string): Record<string, unknown> {
  const name = fileName(path)
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

/** Returns the value of a JSON text; undefined if it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
