import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Spool } from './spool.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'spool-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const never = new AbortController().signal
const large = Buffer.alloc(300_000, 'a/b\n')

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source))
}

it.each([0, 10, 64 * 1024, 300_000])(
  'returns %i bytes as they were received, and leaves nothing behind',
  async (size) => {
    const spool = new Spool(folder)
    const pieces = [large.subarray(0, size / 2), large.subarray(size / 2, size)]
    {
      await using body = await spool.store(Readable.from(pieces), () => {}, never)
      expect((await bytesOf(body)).equals(large.subarray(0, size))).toBe(true)
    }
    expect(readdirSync(folder)).toEqual([])
  },
)

it('stores no more bodies on disk than allowed, and rejects one that waits too long', async () => {
  const spool = new Spool(folder, { maxFiles: 1, waitMs: 20 })
  const storeLarge = () => spool.store(Readable.from([large]), () => {}, never)
  const first = await storeLarge()
  await expect(storeLarge()).rejects.toMatchObject({ code: 'UPLOADS_BUSY', retryAfterMs: 5000 })
  // Small bodies need no file.
  await using _ = await spool.store(Readable.from([Buffer.from('x')]), () => {}, never)
  await first[Symbol.asyncDispose]()
  await using second = await storeLarge()
  expect((await bytesOf(second)).length).toBe(large.length)
})

it('releases the file when the body is rejected or breaks off, or the signal aborts', async () => {
  const spool = new Spool(folder, { maxFiles: 1, waitMs: 20 })
  const assertSmall = (bytes: number) => {
    if (bytes > 200_000) throw new RangeError('too many')
  }
  await expect(spool.store(Readable.from([large, large]), assertSmall, never)).rejects.toThrow(RangeError)
  const broken = async function* () {
    yield large
    throw new TypeError('gone')
  }
  await expect(spool.store(broken(), () => {}, never)).rejects.toThrow(TypeError)
  const aborted = AbortSignal.abort(new Error('cancelled'))
  await expect(spool.store(Readable.from([large]), () => {}, aborted)).rejects.toThrow('cancelled')
  await using last = await spool.store(Readable.from([large]), () => {}, never)
  expect((await bytesOf(last)).length).toBe(large.length)
})
