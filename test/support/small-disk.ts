import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { statfs, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

const FILLER = 'filler'

/**
 * Returns the command line that runs a program as root. Users other than root need a sudo without a password.
 */
function asRoot(program: string, ...options: string[]): [program: string, options: string[]] {
  return userInfo().uid === 0 ? [program, options] : ['sudo', ['-n', program, ...options]]
}

/** A tmpfs of a given size that tests can fill. It is unmounted when it is disposed of. */
export class SmallDisk implements Disposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static mount(bytes: number): SmallDisk {
    const path = mkdtempSync(join(tmpdir(), 'small-disk-'))
    const { uid, gid } = userInfo()
    const [program, options] = asRoot('mount', '-t', 'tmpfs', '-o', `size=${bytes},uid=${uid},gid=${gid}`)
    try {
      execFileSync(program, [...options, 'small-disk', path], { stdio: 'pipe' })
    } catch (error) {
      rmdirSync(path)
      throw error
    }
    return new SmallDisk(path)
  }

  /** Fills the disk with a file, except for some free bytes. */
  async fill(freeBytes = 0): Promise<void> {
    const { bavail, bsize } = await statfs(this.path)
    const bytes = Buffer.alloc(Math.max(0, bavail * bsize - freeBytes))
    // Other processes may use some of the space in the meantime.
    await writeFile(join(this.path, FILLER), bytes, { flag: 'a' }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC') throw error
    })
  }

  /** Removes the file that {@link fill} created. */
  free(): void {
    rmSync(join(this.path, FILLER), { force: true })
  }

  [Symbol.dispose](): void {
    const [program, options] = asRoot('umount', '--lazy', this.path)
    execFileSync(program, options, { stdio: 'pipe' })
    rmdirSync(this.path)
  }
}

let canMount: boolean | undefined

/** Whether this process may mount disks. */
export function canMountDisks(): boolean {
  canMount ??= tryMount()
  return canMount
}

function tryMount(): boolean {
  if (userInfo().uid !== 0 && spawnSync('sudo', ['-n', 'true']).status !== 0) return false
  try {
    using disk = SmallDisk.mount(65_536)
    writeFileSync(join(disk.path, 'a'), 'a')
    return true
  } catch {
    return false
  }
}
