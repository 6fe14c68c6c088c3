import { createHash } from 'node:crypto'
import { readFileSync, realpathSync } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout that the quickstart runs in: the sample image is made of it. */
export const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
export const SAMPLE_PROGRAM = fileURLToPath(new URL('./sample-app/main.js', import.meta.url))

/** Where things are in the sample image. */
export const IN_IMAGE = { runtime: 'usr/local/bin/node', app: 'srv/app', program: 'srv/app/main.js' }

/** One entry of a sample layer. `path` is relative to the image's root. */
export type SampleEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly from: string; readonly mode: number }
  | { readonly kind: 'text'; readonly path: string; readonly content: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | { readonly kind: 'hard link'; readonly path: string; readonly target: string }

/** The runtime: Node, the shared objects it loads, and what a root file system has around them. */
export function* runtimeEntries(): Generator<SampleEntry> {
  const directories = [
    'etc',
    'srv',
    'tmp',
    'usr',
    'usr/bin',
    'usr/lib',
    'usr/lib64',
    'usr/local',
    'usr/local/bin',
  ]
  for (const path of directories) yield { kind: 'directory', path }
  for (const name of ['bin', 'lib', 'lib64']) yield { kind: 'symlink', path: name, target: `usr/${name}` }
  yield { kind: 'text', path: 'etc/passwd', content: 'root:x:0:0:root:/:/bin/false\n' }
  yield { kind: 'file', path: IN_IMAGE.runtime, from: realpathSync(process.execPath), mode: 0o755 }
  yield { kind: 'symlink', path: 'usr/bin/node', target: `/${IN_IMAGE.runtime}` }
  yield { kind: 'hard link', path: 'usr/local/bin/nodejs', target: IN_IMAGE.runtime }
  const made = new Set<string>(directories)
  for (const from of sharedObjects()) {
    const path = from.replace(/^\/(lib(64)?\/)/, '/usr/$1').slice(1)
    for (const parent of parentsOf(path)) {
      if (made.has(parent)) continue
      made.add(parent)
      yield { kind: 'directory', path: parent }
    }
    yield { kind: 'file', path, from, mode: 0o755 }
  }
}

/** Systems that keep their libraries in a cache have no files of them. */
function sharedObjects(): string[] {
  const report = process.report.getReport() as { sharedObjects?: string[] }
  return (report.sharedObjects ?? []).filter((path) => {
    try {
      readFileSync(path, { flag: 'r' })
      return path.startsWith('/')
    } catch {
      return false
    }
  })
}

function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}

/** The production dependencies of this checkout. License texts that are the same are one file with many names. */
export async function* dependencyEntries(): AsyncGenerator<SampleEntry> {
  yield { kind: 'directory', path: IN_IMAGE.app }
  yield { kind: 'directory', path: `${IN_IMAGE.app}/node_modules` }
  const licenses = new Map<string, string>()
  const made = new Set<string>()
  for (const name of await dependencies()) {
    for (const parent of parentsOf(name)) {
      if (parent === 'node_modules' || made.has(parent)) continue
      made.add(parent)
      yield { kind: 'directory', path: `${IN_IMAGE.app}/${parent}` }
    }
    made.add(name)
    yield* treeOf(join(CHECKOUT, name), licenses)
  }
}

/** Folders of the packages that the product needs, as the lock file has them, in alphabetical order. */
async function dependencies(): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(CHECKOUT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean }>
  }
  const names = Object.entries(lock.packages).filter(([name, { dev, optional }]) => name && !dev && !optional)
  // A package inside another one comes with it.
  return names.map(([name]) => name).filter((name) => name.lastIndexOf('node_modules/') === 0)
}

async function* treeOf(from: string, licenses: Map<string, string>): AsyncGenerator<SampleEntry> {
  const path = `${IN_IMAGE.app}/${relative(CHECKOUT, from)}`
  const found = await lstat(from)
  if (found.isSymbolicLink()) yield { kind: 'symlink', path, target: await readlink(from) }
  else if (found.isDirectory()) {
    yield { kind: 'directory', path }
    for (const name of (await readdir(from)).toSorted()) yield* treeOf(join(from, name), licenses)
  } else {
    const first =
      /^licen[cs]e/i.test(from.slice(dirname(from).length + 1)) && (await sameAs(from, path, licenses))
    if (first) yield { kind: 'hard link', path, target: first }
    else yield { kind: 'file', path, from, mode: found.mode & 0o111 ? 0o755 : 0o644 }
  }
}

/** The first file with this content, when it was not this one. */
async function sameAs(from: string, path: string, known: Map<string, string>): Promise<string | undefined> {
  const hash = createHash('sha256')
    .update(await readFile(from))
    .digest('hex')
  const first = known.get(hash)
  if (first === undefined) known.set(hash, path)
  return first
}

/** The program itself. */
export function* programEntries(): Generator<SampleEntry> {
  yield { kind: 'file', path: IN_IMAGE.program, from: SAMPLE_PROGRAM, mode: 0o644 }
  yield { kind: 'text', path: `${IN_IMAGE.app}/package.json`, content: '{"type":"module"}\n' }
}
