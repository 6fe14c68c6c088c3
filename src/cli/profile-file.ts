import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type ContentEncoding, packingOf } from '../bytes/content-encoding.ts'
import { CommandError } from './errors.ts'

/** The bytes of a profile, and how they are packed. */
export type ProfileFile = {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly encoding: ContentEncoding | undefined
}

/** Opens a profile: a file, packed or not, or the standard input (`-`). @throws CommandError when there is no such file */
export async function openProfile(path: string): Promise<ProfileFile> {
  if (path !== '-') {
    await stat(path).catch((error: Error) => {
      throw new CommandError(`${path} cannot be read: ${error.message}`)
    })
  }
  const source = path === '-' ? process.stdin : createReadStream(path)
  const pieces = (source as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  const first = await pieces.next()
  const bytes = (async function* () {
    if (first.done) return
    yield first.value
    yield* { [Symbol.asyncIterator]: () => pieces }
  })()
  return { bytes, encoding: first.done ? undefined : packingOf(first.value) }
}
