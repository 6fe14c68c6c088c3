import { chmod, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { CommandError } from '../failures/errors.ts'
import { unreadableFile } from '../failures/file-failure.ts'
import { parseJson } from '../json-file.ts'

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
/** The bits of a mode that let the group and others in. */
const OTHERS = 0o077

/** The logins of a user, by the address of the broker. */
const Logins = z.object({
  current: z.string().optional(),
  servers: z.record(z.string(), z.object({ token: z.string().optional() })),
})
export type Logins = z.infer<typeof Logins>

/** The file that keeps the logins of a user. Others can never read it. */
export class ConfigFile {
  readonly #folder: string
  readonly path: string

  /** @param folder the configuration folder of this program */
  constructor(folder: string) {
    this.#folder = folder
    this.path = join(folder, 'config.json')
  }

  /**
   * Reads the logins; there are none if the file does not exist.
   * @throws CommandError if others can read the file, or if it is damaged
   */
  async read(): Promise<Logins> {
    const file = await open(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw unreadableFile(this.path, error)
    })
    if (!file) return { servers: {} }
    try {
      const { mode } = await file.stat()
      if (hasModes() && (mode & OTHERS) !== 0) {
        throw new CommandError(
          'usage',
          `${this.path} has tokens, and others can read it: run chmod 600 ${this.path}`,
        )
      }
      const parsed = Logins.safeParse(parseJson(await file.readFile('utf8')))
      if (parsed.success) return parsed.data
      throw new CommandError(
        'usage',
        `${this.path} is not a configuration of record-broker: repair it, or remove it and run record-broker login`,
      )
    } finally {
      await file.close()
    }
  }

  /** Replaces the file, in one step, so that a crash leaves the old or the new one. */
  async write(logins: Logins): Promise<void> {
    const temporary = `${this.path}.${process.pid}.new`
    try {
      await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE })
      if (hasModes() && ((await stat(this.#folder)).mode & OTHERS) !== 0)
        await chmod(this.#folder, FOLDER_MODE)
      // The file of a process that had the same id and was killed.
      await rm(temporary, { force: true })
      const file = await open(temporary, 'wx', FILE_MODE)
      try {
        await file.writeFile(`${JSON.stringify(logins, undefined, 2)}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, this.path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw new CommandError('usage', `${this.path} cannot be written: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }
}

/** Windows has access lists in place of modes; a profile's folder belongs to its user. */
function hasModes(): boolean {
  return process.platform !== 'win32'
}
