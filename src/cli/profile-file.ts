import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type ContentEncoding, detectCompression, ENCODING_MAGIC_BYTES } from '../bytes/content-encoding.ts'
import { peekHead } from '../bytes/peek-head.ts'
import { CommandError } from './errors.ts'

/** The bytes of a profile as they are stored, and their compression. */
export type ProfileFile = {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly encoding: ContentEncoding | undefined
}

/**
 * Opens a profile: a file, compressed or not, or standard input (`-`).
 * @throws CommandError when the file cannot be read
 */
export async function openProfile(path: string): Promise<ProfileFile> {
  if (path !== '-') {
    await stat(path).catch((error: Error) => {
      throw new CommandError(`${path} cannot be read: ${error.message}`)
    })
  }
  const source = path === '-' ? process.stdin : createReadStream(path)
  const { head, bytes } = await peekHead(source, ENCODING_MAGIC_BYTES)
  return { bytes, encoding: detectCompression(head) }
}
