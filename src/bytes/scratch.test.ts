import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { describeWithPeers } from '../../test/support/peers/peers.ts'
import { SmallDisk } from '../../test/support/small-disk.ts'
import { claimScratchFolder, Scratch } from './scratch.ts'

const MIB = 2 ** 20

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'record-broker-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

it('stores bytes until the file is closed, and leaves nothing behind', async () => {
  const parent = folder()
  {
    await using scratch = await Scratch.open(parent, { limitBytes: 10 })
    const file = await scratch.createFile()
    await file.write(Buffer.from('hello '))
    await file.write(Buffer.from('disk'))
    expect(String(await buffer(file.read()))).toBe('hello disk')
    expect(readdirSync(parent)).toHaveLength(1)
    await file.close()
    const next = await scratch.createFile()
    await next.write(Buffer.alloc(10))
  }
  expect(readdirSync(parent)).toEqual([])
})

it('rejects more bytes than its budget or the disk can hold', async () => {
  await using scratch = await Scratch.open(folder(), { limitBytes: 10 })
  const file = await scratch.createFile()
  await file.write(Buffer.alloc(6))
  await expect(file.write(Buffer.alloc(5))).rejects.toMatchObject({ code: 'SCRATCH_FULL' })
  await expect(scratch.assertFits(5)).rejects.toMatchObject({ code: 'SCRATCH_FULL' })
  await scratch.assertFits(4)
  await using huge = await Scratch.open(folder(), {
    limitBytes: Number.MAX_SAFE_INTEGER,
    diskFullTimeoutMs: 0,
  })
  await expect(huge.assertFits(2 ** 52)).rejects.toMatchObject({
    code: 'STORAGE_FULL',
    message: expect.stringContaining(`${2 ** 52} bytes requested`),
  })
})

it('removes what killed processes left, and nothing of processes that run', async () => {
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

it('writes pieces of any size in their order', async () => {
  await using scratch = await Scratch.open(folder(), { limitBytes: 2 ** 30 })
  const file = await scratch.createFile()
  const pieces = [1, 300_000, 300_000, 0, 600_000, 7].map((size, i) => Buffer.alloc(size, i))
  async function* source() {
    for (const piece of pieces) {
      const reused = Buffer.from(piece)
      yield reused
      // A piece is valid until the next one is requested.
      reused.fill(0xff)
    }
  }
  await file.writeAll(source())
  expect((await buffer(file.read())).equals(Buffer.concat(pieces))).toBe(true)
})

describeWithPeers(['tmpfs'], 'scratch space on a full disk', () => {
  it('waits with a write until there is free space', async () => {
    using disk = SmallDisk.mount(16 * MIB)
    await using scratch = await Scratch.open(disk.path, { limitBytes: 100 * MIB })
    const file = await scratch.createFile()
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

  it('fails when the disk stays full', async () => {
    using disk = SmallDisk.mount(16 * MIB)
    await using scratch = await Scratch.open(disk.path, { limitBytes: 100 * MIB, diskFullTimeoutMs: 10 })
    const file = await scratch.createFile()
    await disk.fill()
    await expect(file.write(Buffer.alloc(MIB))).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    disk.free()
  })
})
