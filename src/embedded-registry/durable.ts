import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { failedWith } from './errors.ts'

/** Makes a folder's entries survive a power cut: names live in the folder, not in the file. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a folder with its parents, and makes the new names durable. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true })
  if (first === undefined) return
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

/** Moves a file, whose bytes are already synced, to its final name: the name appears at once or not at all. */
export async function moveDurably(source: string, target: string): Promise<void> {
  await rename(source, target)
  await syncFolder(dirname(target))
}

/** Writes a whole small file so that a reader, also one after a crash, sees the old bytes or the new ones. */
export async function writeDurably(
  temporaryFolder: string,
  target: string,
  bytes: Uint8Array | string,
): Promise<void> {
  const temporary = join(temporaryFolder, randomUUID())
  try {
    const handle = await open(temporary, 'wx')
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await moveDurably(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/**
 * Gives a file a second name. A file system without hard links, or with no room for another one to
 * this file, gets a copy instead.
 * @returns false when the source does not exist
 */
export async function linkDurably(temporaryFolder: string, source: string, target: string): Promise<boolean> {
  try {
    await link(source, target)
    await syncFolder(dirname(target))
    return true
  } catch (error) {
    if (failedWith(error, 'EEXIST')) return true
    if (failedWith(error, 'ENOENT')) return false
    if (!failedWith(error, 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error
  }
  const temporary = join(temporaryFolder, randomUUID())
  try {
    await copyFile(source, temporary, constants.COPYFILE_FICLONE)
    const handle = await open(temporary, 'r+')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
    await moveDurably(temporary, target)
    return true
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Removes the files of a folder (not of its subfolders) that nothing has written to since a moment. */
export async function removeOlder(folder: string, sinceMs: number): Promise<number> {
  let removed = 0
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(folder, entry.name)
    // A file may go while we look: an upload that ends is moved away.
    const found = await stat(path).catch(() => undefined)
    if (found === undefined || found.mtimeMs >= sinceMs) continue
    await rm(path, { force: true })
    removed++
  }
  return removed
}
