import { execFile } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { CHECKOUT, IN_IMAGE, SAMPLE_PROGRAM } from './sample-files.ts'

const RECORDER = fileURLToPath(new URL('./record-opens.js', import.meta.url))

/**
 * Runs the sample program on the very files that the sample image is made of, and answers what it opened, as paths in
 * the image, in order of first access.
 */
export async function recordWorkload(folder: string): Promise<string[]> {
  const output = join(folder, 'opened')
  await promisify(execFile)(process.execPath, ['--import', RECORDER, SAMPLE_PROGRAM], {
    env: { PATH: process.env.PATH, RECORD_OPENS: output },
  })
  const opened = (await readFile(output, 'utf8')).split('\n').filter((line) => line !== '')
  const paths = opened.map((line) => inImage(JSON.parse(line) as string)).filter((path) => path !== undefined)
  return [...new Set(paths)]
}

/** The place in the image of a file that was opened here; undefined for what is not in it. */
function inImage(path: string): string | undefined {
  if (path === process.execPath || path === realpathSync(process.execPath)) return `/${IN_IMAGE.runtime}`
  if (path === SAMPLE_PROGRAM) return `/${IN_IMAGE.program}`
  if (path === join(CHECKOUT, 'package.json')) return `/${IN_IMAGE.app}/package.json`
  const dependencies = join(CHECKOUT, 'node_modules/')
  if (path.startsWith(dependencies)) return `/${IN_IMAGE.app}/node_modules/${path.slice(dependencies.length)}`
  return path.startsWith(CHECKOUT) ? undefined : path
}
