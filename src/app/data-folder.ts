import { mkdir, stat } from 'node:fs/promises'
import type { Logger } from 'pino'

/** Only the user of the broker: the files in it have the modes of the umask, and hold what belongs to all projects. */
const FOLDER_MODE = 0o700
const OTHERS = 0o007

/**
 * Creates the data folder if it is missing. An existing one stays as it is: whoever created it may want to share it.
 * @param log is told if it is open to all users of the machine
 */
export async function prepareDataFolder(folder: string, log: Pick<Logger, 'warn'>): Promise<void> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE })
  const { mode } = await stat(folder)
  if ((mode & OTHERS) === 0) return
  log.warn(
    { folder, mode: (mode & 0o777).toString(8) },
    'all users of this machine can open the data folder, with what belongs to all projects; chmod it to 700',
  )
}
