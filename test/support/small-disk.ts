import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { statfs, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

const FILLER = 'filler'

/** Only root may mount; others need a sudo that asks for no password. */
function asRoot(program: string, ...options: string[]): [string, string[]] {
  return userInfo().uid === 0 ? [program, options] : ['sudo', ['-n', program, ...options]]
}

/** A disk in memory of so many bytes, which can be filled. Gone when disposed of. */
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

  /** Takes all room but so many bytes. */
  async fill(left = 0): Promise<void> {
    const { bavail, bsize } = await statfs(this.path)
    const bytes = Buffer.alloc(Math.max(0, bavail * bsize - left))
    // Others may take of the room meanwhile.
    await writeFile(join(this.path, FILLER), bytes, { flag: 'a' }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC') throw error
    })
  }

  /** Gives the room back that {@link fill} took. */
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

/** Whether this machine lets tests make disks. */
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
