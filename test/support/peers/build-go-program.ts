import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder } from '../cache-folder.ts'
import { runProgram } from '../run-program.ts'

/**
 * The path of a program that Go builds once for its sources, outside the checkout.
 * @param module a folder beside this file, with a `go.mod`
 * @param program the package; left out: that of the module
 */
export async function buildGoProgram(module: string, program = '.'): Promise<string> {
  const sources = fileURLToPath(new URL(`./${module}/`, import.meta.url))
  const hash = createHash('sha256').update(await runProgram('go', 'version'))
  const found = await readdir(sources, { recursive: true, withFileTypes: true })
  const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  for (const file of files.toSorted()) hash.update(relative(sources, file)).update(await readFile(file))
  const name = program === '.' ? module : (program.split('/').at(-1) ?? module)
  const path = join(cacheFolder(), `${name}-${hash.digest('hex').slice(0, 16)}`)
  const isBuilt = await stat(path).catch(() => undefined)
  if (!isBuilt) await build(sources, program, path)
  return path
}

async function build(sources: string, program: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  // Other test files may build at the same time: each has a name of its own until it is whole.
  const own = `${path}-${randomUUID()}`
  try {
    const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' }
    await promisify(execFile)('go', ['build', '-o', own, program], { cwd: sources, env })
    await rename(own, path)
  } finally {
    await rm(own, { force: true })
  }
}
