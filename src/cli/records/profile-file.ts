import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import {
  type ContentEncoding,
  detectCompression,
  ENCODING_MAGIC_BYTES,
} from '../../bytes/content-encoding.ts'
import { peekHead } from '../../bytes/peek-head.ts'
import { CommandError } from '../failures/errors.ts'
import { unreadableFile } from '../failures/file-failure.ts'

/** The bytes of a profile as they are stored, their number, and their compression. */
export type ProfileFile = {
  readonly bytes: AsyncIterable<Uint8Array>
  /** Undefined if it is not known, such as for standard input. */
  readonly size: number | undefined
  readonly encoding: ContentEncoding | undefined
}

/**
 * Opens a profile: a file, compressed or not, or standard input (`-`).
 * @throws CommandError when the file cannot be read
 */
export async function openProfile(path: string): Promise<ProfileFile> {
  const unreadable = (error: Error) => {
    throw unreadableFile(path, error)
  }
  const stats = path === '-' ? undefined : await stat(path).catch(unreadable)
  if (stats?.isDirectory()) throw new CommandError('usage', `${path} cannot be read: it is a folder`)
  const source = path === '-' ? process.stdin : createReadStream(path)
  const { head, bytes } = await peekHead(source, ENCODING_MAGIC_BYTES).catch(unreadable)
  return { bytes, size: stats?.isFile() ? stats.size : undefined, encoding: detectCompression(head) }
}
