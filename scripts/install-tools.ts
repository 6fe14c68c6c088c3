// Installs programs that only some checks need, from the lock file of a folder, outside of the checkout, and prints
// where: npm packages that are too large, or need another version of TypeScript, to be dependencies of this project.
//   node scripts/install-tools.ts FOLDER
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const CHECKOUT = resolve(import.meta.dirname, '..')

/**
 * Installs the packages of a folder, if they are not yet installed.
 * @param folder has a package.json and a package-lock.json
 * @returns the folder that has their `node_modules`
 */
export function installTools(folder: string): string {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'record-broker')
  const lock = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex')
  const installed = join(cache, `${basename(folder)}-${lock.slice(0, 16)}`)
  if (existsSync(installed)) return installed
  mkdirSync(cache, { recursive: true })
  const unfinished = mkdtempSync(`${installed}.`)
  try {
    for (const name of ['package.json', 'package-lock.json'])
      copyFileSync(join(folder, name), join(unfinished, name))
    copyFileSync(join(CHECKOUT, '.npmrc'), join(unfinished, '.npmrc'))
    const { npm_config_local_prefix: _, ...env } = process.env
    // Standard output is that of the program that follows.
    const stdio = ['ignore', 2, 2] as const
    const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: unfinished,
      stdio: [...stdio],
      env,
    })
    if (error) throw error
    if (status !== 0) throw new Error(`npm ci failed in ${folder}`)
    rename(unfinished, installed)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return installed
}

/** Another process may have installed the same in the meantime. */
function rename(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , folder] = process.argv
  if (folder === undefined) throw new Error('expected a folder with a package-lock.json')
  console.log(installTools(resolve(folder)))
}
