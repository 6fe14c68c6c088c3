import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { describeWith } from '../../test/support/peers.ts'
import { SmallDisk } from '../../test/support/small-disk.ts'
import { claimScratchFolder, Scratch } from './scratch.ts'

const MIB = 2 ** 20

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'record-broker-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

it('keeps bytes until they are given up, and leaves nothing behind', async () => {
  const parent = folder()
  {
    await using scratch = await Scratch.open(parent, { limit: 10 })
    const file = await scratch.file()
    await file.write(Buffer.from('hello '))
    await file.write(Buffer.from('disk'))
    expect(String(await buffer(file.read()))).toBe('hello disk')
    expect(readdirSync(parent)).toHaveLength(1)
    await file.close()
    const next = await scratch.file()
    await next.write(Buffer.alloc(10))
  }
  expect(readdirSync(parent)).toEqual([])
})

it('refuses what its budget or the disk does not hold', async () => {
  await using scratch = await Scratch.open(folder(), { limit: 10 })
  const file = await scratch.file()
  await file.write(Buffer.alloc(6))
  await expect(file.write(Buffer.alloc(5))).rejects.toMatchObject({ code: 'SCRATCH_FULL' })
  await expect(scratch.expect(5)).rejects.toMatchObject({ code: 'SCRATCH_FULL' })
  await scratch.expect(4)
  await using huge = await Scratch.open(folder(), { limit: Number.MAX_SAFE_INTEGER, tryForMs: 0 })
  await expect(huge.expect(2 ** 52)).rejects.toMatchObject({
    code: 'STORAGE_FULL',
    message: expect.stringContaining(`${2 ** 52} bytes are wanted`),
  })
})

it('clears away what killed processes left, and nothing of those that run', async () => {
  const parent = folder()
  const { pid: dead } = spawnSync(process.execPath, ['--version'])
  for (const pid of [dead, process.ppid]) {
    mkdirSync(join(parent, `process-${pid}`))
    writeFileSync(join(parent, `process-${pid}`, 'members'), 'bytes')
  }
  const own = await claimScratchFolder(parent)
  expect(readdirSync(parent).toSorted()).toEqual(
    [`process-${process.ppid}`, `process-${process.pid}`].toSorted(),
  )
  expect(readdirSync(own)).toEqual([])
})

it('keeps what comes in pieces of any size in order', async () => {
  await using scratch = await Scratch.open(folder(), { limit: 2 ** 30 })
  const file = await scratch.file()
  const pieces = [1, 300_000, 300_000, 0, 600_000, 7].map((size, i) => Buffer.alloc(size, i))
  async function* source() {
    for (const piece of pieces) {
      const lent = Buffer.from(piece)
      yield lent
      // A piece is valid until the next one is asked for.
      lent.fill(0xff)
    }
  }
  await file.writeAll(source())
  expect((await buffer(file.read())).equals(Buffer.concat(pieces))).toBe(true)
})

describeWith(['tmpfs'], 'scratch on a full disk', () => {
  it('keeps bytes waiting until there is room', async () => {
    using disk = SmallDisk.mount(16 * MIB)
    await using scratch = await Scratch.open(disk.path, { limit: 100 * MIB })
    const file = await scratch.file()
    await disk.fill()
    let isWritten = false
    const writing = file.write(Buffer.alloc(MIB, 7)).then(() => {
      isWritten = true
    })
    await delay(100)
    expect(isWritten).toBe(false)
    disk.free()
    await writing
    expect((await buffer(file.read())).equals(Buffer.alloc(MIB, 7))).toBe(true)
  })

  it('gives up when it stays full', async () => {
    using disk = SmallDisk.mount(16 * MIB)
    await using scratch = await Scratch.open(disk.path, { limit: 100 * MIB, tryForMs: 10 })
    const file = await scratch.file()
    await disk.fill()
    await expect(file.write(Buffer.alloc(MIB))).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    disk.free()
  })
})
