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
  const pieces = []
  for await (const piece of source) pieces.push(piece)
  return Buffer.concat(pieces)
}

it.each([0, 10, 64 * 1024, 300_000])('gives %i bytes as they came, and leaves nothing', async (size) => {
  const spool = new Spool(folder)
  const pieces = [large.subarray(0, size / 2), large.subarray(size / 2, size)]
  {
    await using taken = await spool.take(Readable.from(pieces), () => {}, never)
    expect((await bytesOf(taken)).equals(large.subarray(0, size))).toBe(true)
  }
  expect(readdirSync(folder)).toEqual([])
})

it('has so many places on disk, and refuses what waits too long for one', async () => {
  const spool = new Spool(folder, { places: 1, waitMs: 20 })
  const take = () => spool.take(Readable.from([large]), () => {}, never)
  const first = await take()
  await expect(take()).rejects.toMatchObject({ code: 'UPLOADS_BUSY', retryAfterMs: 5000 })
  // Small ones need none.
  await using _ = await spool.take(Readable.from([Buffer.from('x')]), () => {}, never)
  await first[Symbol.asyncDispose]()
  await using second = await take()
  expect((await bytesOf(second)).length).toBe(large.length)
})

it('gives its place back when the body is refused, breaks off, or nobody wants it any more', async () => {
  const spool = new Spool(folder, { places: 1, waitMs: 20 })
  const refused = (bytes: number) => {
    if (bytes > 200_000) throw new RangeError('too many')
  }
  await expect(spool.take(Readable.from([large, large]), refused, never)).rejects.toThrow(RangeError)
  const broken = async function* () {
    yield large
    throw new TypeError('gone')
  }
  await expect(spool.take(broken(), () => {}, never)).rejects.toThrow(TypeError)
  const aborted = AbortSignal.abort(new Error('left'))
  await expect(spool.take(Readable.from([large]), () => {}, aborted)).rejects.toThrow('left')
  await using last = await spool.take(Readable.from([large]), () => {}, never)
  expect((await bytesOf(last)).length).toBe(large.length)
})
