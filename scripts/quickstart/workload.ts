import { execFile } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CHECKOUT, IN_IMAGE, SAMPLE_PROGRAM } from './sample-files.ts'

const RECORDER = fileURLToPath(new URL('./record-opens.js', import.meta.url))

/**
 * Runs the sample program with the files of which the sample image consists. Returns the paths in the image
 * that it opened, in the order of their first access.
 */
export async function recordWorkload(folder: string): Promise<string[]> {
  const output = join(folder, 'opened')
  await promisify(execFile)(process.execPath, ['--import', RECORDER, SAMPLE_PROGRAM], {
    env: { PATH: process.env.PATH, RECORD_OPENS: output },
  })
  const opened = (await readFile(output, 'utf8')).split('\n').filter((line) => line !== '')
  const paths = opened
    .map((line) => toImagePath(JSON.parse(line) as string))
    .filter((path) => path !== undefined)
  return [...new Set(paths)]
}

/**
 * Returns the path in the image of a file in this checkout or on this machine. Undefined if the image lacks
 * it.
 */
function toImagePath(path: string): string | undefined {
  if (path === process.execPath || path === realpathSync(process.execPath)) return `/${IN_IMAGE.runtime}`
  if (path === SAMPLE_PROGRAM) return `/${IN_IMAGE.program}`
  if (path === join(CHECKOUT, 'package.json')) return `/${IN_IMAGE.app}/package.json`
  const dependencies = join(CHECKOUT, 'node_modules/')
  if (path.startsWith(dependencies)) return `/${IN_IMAGE.app}/node_modules/${path.slice(dependencies.length)}`
  return path.startsWith(CHECKOUT) ? undefined : path
}
