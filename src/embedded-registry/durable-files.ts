import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hasSystemErrorCode } from './errors.ts'

/** Makes the names in a folder survive a power failure: syncing a file does not sync its name. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Creates a folder with its parents, durably. */
export async function createFolder(path: string): Promise<void> {
  const firstCreated = await mkdir(path, { recursive: true })
  if (firstCreated === undefined) return
  for (let created = path; created.length >= firstCreated.length; created = dirname(created)) {
    await syncFolder(dirname(created))
  }
}

/** Moves a file, whose bytes must be synced, to its final name, atomically and durably. */
export async function moveDurably(source: string, target: string): Promise<void> {
  await rename(source, target)
  await syncFolder(dirname(target))
}

/** Replaces a file atomically: a reader sees the old bytes or the new ones, also after a crash. */
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
 * Creates a hard link to a file, durably. Copies the file if the file system has no hard links, or no more
 * for this file.
 * @returns false if the source does not exist
 */
export async function linkDurably(temporaryFolder: string, source: string, target: string): Promise<boolean> {
  try {
    await link(source, target)
    await syncFolder(dirname(target))
    return true
  } catch (error) {
    if (hasSystemErrorCode(error, 'EEXIST')) return true
    if (hasSystemErrorCode(error, 'ENOENT')) return false
    if (!hasSystemErrorCode(error, 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS')) throw error
  }
  await copyDurably(temporaryFolder, source, target)
  return true
}

async function copyDurably(temporaryFolder: string, source: string, target: string): Promise<void> {
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
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/**
 * Removes the files of a folder, but not of its subfolders, that were last modified before a time.
 * @param before in milliseconds since the epoch
 * @returns what was removed
 */
export async function removeOldFiles(
  folder: string,
  before: number,
): Promise<{ readonly path: string; readonly size: number }[]> {
  const removed: { path: string; size: number }[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(folder, entry.name)
    // The file may be gone by now: a committed upload is moved away.
    const stats = await stat(path).catch(() => undefined)
    if (stats === undefined || stats.mtimeMs >= before) continue
    await rm(path, { force: true })
    removed.push({ path, size: stats.size })
  }
  return removed
}
