import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheFolder } from '../cache-folder.ts'
import { runProgram } from '../run-program.ts'

/**
 * Builds a Go program outside the checkout, once per version of its sources and of Go. Returns its path.
 * @param module a folder beside this file that has a `go.mod`
 * @param program the package to build; the default is the root package of the module
 */
export async function buildGoProgram(module: string, program = '.'): Promise<string> {
  const sources = fileURLToPath(new URL(`./${module}/`, import.meta.url))
  const hash = createHash('sha256').update(await runProgram('go', 'version'))
  const manifest = await readFile(join(sources, 'go.mod'), 'utf8')
  // A module beside it that it uses is a part of the program.
  const used = [...manifest.matchAll(/^replace .* => (\.\.\/\S+)$/gm)].map(([, path = '']) =>
    join(sources, path),
  )
  for (const folder of [sources, ...used]) {
    for (const file of await listFiles(folder))
      hash.update(relative(sources, file)).update(await readFile(file))
  }
  const name = program === '.' ? module : (program.split('/').at(-1) ?? module)
  const path = join(cacheFolder(), `${name}-${hash.digest('hex').slice(0, 16)}`)
  const isBuilt = await stat(path).catch(() => undefined)
  if (!isBuilt) await build(sources, program, path)
  return path
}

/** Returns the files in a folder and below it, in order. */
async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return files.toSorted()
}

async function build(sources: string, program: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  // Other test files may build the program at the same time, so it gets a unique name until it is complete.
  const temporary = `${path}-${randomUUID()}`
  try {
    const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false' }
    await promisify(execFile)('go', ['build', '-o', temporary, program], { cwd: sources, env })
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}
