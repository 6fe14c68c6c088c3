import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder } from './cache-folder.ts'
import { run } from './command.ts'

/**
 * The path of a program whose sources lie in a folder beside this file. It is built by Go once for its sources, outside
 * the checkout.
 */
export async function goProgram(name: string): Promise<string> {
  const sources = fileURLToPath(new URL(`./${name}/`, import.meta.url))
  const hash = createHash('sha256').update(await run('go', 'version'))
  for (const file of (await readdir(sources)).toSorted()) {
    hash.update(file).update(await readFile(join(sources, file)))
  }
  const program = join(cacheFolder(), `${name}-${hash.digest('hex').slice(0, 16)}`)
  const isBuilt = await stat(program).catch(() => undefined)
  if (!isBuilt) await build(sources, program)
  return program
}

async function build(sources: string, program: string): Promise<void> {
  await mkdir(join(program, '..'), { recursive: true })
  // Other test files may build at the same time: each has a name of its own until it is whole.
  const own = `${program}-${randomUUID()}`
  try {
    const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' }
    await promisify(execFile)('go', ['build', '-o', own, '.'], { cwd: sources, env })
    await rename(own, program)
  } finally {
    await rm(own, { force: true })
  }
}
