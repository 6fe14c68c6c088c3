import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { temporaryFolder } from '../../test/support/temporary-folder.ts'
import { FolderInUseError, FolderLock } from './folder-lock.ts'

const HOLDER = fileURLToPath(new URL('../../test/support/children/folder-lock-holder.ts', import.meta.url))

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Starts a process that holds the folder until it is killed or receives a stop request. */
async function startHolder(folder: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [HOLDER, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  await once(child.stdout ?? child, 'data')
  return child
}

it('rejects a folder that another process holds, and names the process', async () => {
  await using folder = await temporaryFolder()
  const other = await startHolder(folder.path)
  const error = await FolderLock.acquire(folder.path, 10_000).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(FolderInUseError)
  expect(error).toMatchObject({ message: expect.stringContaining(`is in use by process ${other.pid}`) })
})

it('acquires the folder of a killed process at once', async () => {
  await using folder = await temporaryFolder()
  const other = await startHolder(folder.path)
  const exited = once(other, 'exit')
  other.kill('SIGKILL')
  await exited
  using _ = await FolderLock.acquire(folder.path, 0)
})

it('waits for a process that is shutting down', async () => {
  await using folder = await temporaryFolder()
  const other = await startHolder(folder.path)
  // The holder announces its stop and releases the folder later than others would wait without the
  // announcement.
  other.stdin?.write('3000\n')
  await once(other.stdout ?? other, 'data')
  using _ = await FolderLock.acquire(folder.path, 30_000)
})
