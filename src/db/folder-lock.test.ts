import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/embedded-registry.ts'
import { FolderInUse, FolderLock } from './folder-lock.ts'

const HOLDER = fileURLToPath(new URL('../../test/support/folder-holder.ts', import.meta.url))

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** A process that holds the folder, until it is killed or told to stop. */
async function holder(folder: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [HOLDER, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  await once(child.stdout ?? child, 'data')
  return child
}

it('refuses a folder that another process uses, and says which', async () => {
  await using folder = await temporaryFolder()
  const other = await holder(folder.path)
  const refused = await FolderLock.take(folder.path, 10_000).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(FolderInUse)
  expect(refused).toMatchObject({ message: expect.stringContaining(`is in use by process ${other.pid}`) })
})

it('takes the folder of a process that was killed at once', async () => {
  await using folder = await temporaryFolder()
  const other = await holder(folder.path)
  const exited = once(other, 'exit')
  other.kill('SIGKILL')
  await exited
  using _ = await FolderLock.take(folder.path, 0)
})

it('waits for a process that stops', async () => {
  await using folder = await temporaryFolder()
  const other = await holder(folder.path)
  // It says that it stops, and lets go later than others would have patience.
  other.stdin?.write('3000\n')
  await once(other.stdout ?? other, 'data')
  using _ = await FolderLock.take(folder.path, 30_000)
})
