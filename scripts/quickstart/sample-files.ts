import { createHash } from 'node:crypto'
import { readFileSync, realpathSync } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout of which the sample image consists. */
export const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
export const SAMPLE_PROGRAM = fileURLToPath(new URL('./sample-app/main.js', import.meta.url))

/** Paths in the sample image. */
export const IN_IMAGE = { runtime: 'usr/local/bin/node', app: 'srv/app', program: 'srv/app/main.js' }

/**
 * An entry of a sample layer. `path` is relative to the root of the image, `from` is a file on this machine.
 */
export type SampleEntry =
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly from: string; readonly mode: number }
  | { readonly kind: 'text'; readonly path: string; readonly content: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | { readonly kind: 'hard link'; readonly path: string; readonly target: string }

/**
 * The runtime layer: Node, its shared objects, and the directories and files of a minimal root file system.
 */
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
  const created = new Set<string>(directories)
  for (const from of listSharedObjects()) {
    const path = from.replace(/^\/(lib(64)?\/)/, '/usr/$1').slice(1)
    for (const parent of parentsOf(path)) {
      if (created.has(parent)) continue
      created.add(parent)
      yield { kind: 'directory', path: parent }
    }
    yield { kind: 'file', path, from, mode: 0o755 }
  }
}

/** Returns the shared objects that exist as files. Some systems have their libraries only in a cache. */
function listSharedObjects(): string[] {
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

/** The layer of production dependencies. Identical license texts are hard links to one file. */
export async function* dependencyEntries(): AsyncGenerator<SampleEntry> {
  yield { kind: 'directory', path: IN_IMAGE.app }
  yield { kind: 'directory', path: `${IN_IMAGE.app}/node_modules` }
  const licenses = new Map<string, string>()
  const created = new Set<string>()
  for (const name of await listDependencies()) {
    for (const parent of parentsOf(name)) {
      if (parent === 'node_modules' || created.has(parent)) continue
      created.add(parent)
      yield { kind: 'directory', path: `${IN_IMAGE.app}/${parent}` }
    }
    created.add(name)
    yield* treeEntries(join(CHECKOUT, name), licenses)
  }
}

/**
 * Returns the folders of the production dependencies in the order of the lock file, which is alphabetical.
 */
async function listDependencies(): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(CHECKOUT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean }>
  }
  const names = Object.entries(lock.packages).filter(([name, { dev, optional }]) => name && !dev && !optional)
  // A package nested in another one is part of its folder.
  return names.map(([name]) => name).filter((name) => name.lastIndexOf('node_modules/') === 0)
}

async function* treeEntries(from: string, licenses: Map<string, string>): AsyncGenerator<SampleEntry> {
  const path = `${IN_IMAGE.app}/${relative(CHECKOUT, from)}`
  const stats = await lstat(from)
  if (stats.isSymbolicLink()) yield { kind: 'symlink', path, target: await readlink(from) }
  else if (stats.isDirectory()) {
    yield { kind: 'directory', path }
    for (const name of (await readdir(from)).toSorted()) yield* treeEntries(join(from, name), licenses)
  } else {
    const isLicense = /^licen[cs]e/i.test(from.slice(dirname(from).length + 1))
    const target = isLicense && (await findIdentical(from, path, licenses))
    if (target) yield { kind: 'hard link', path, target }
    else yield { kind: 'file', path, from, mode: stats.mode & 0o111 ? 0o755 : 0o644 }
  }
}

/**
 * Returns the path of an earlier file with the same content. Adds the file to `pathsByHash` if there is none.
 */
async function findIdentical(
  from: string,
  path: string,
  pathsByHash: Map<string, string>,
): Promise<string | undefined> {
  const hash = createHash('sha256')
    .update(await readFile(from))
    .digest('hex')
  const earlier = pathsByHash.get(hash)
  if (earlier === undefined) pathsByHash.set(hash, path)
  return earlier
}

/** The layer of the sample program. */
export function* programEntries(): Generator<SampleEntry> {
  yield { kind: 'file', path: IN_IMAGE.program, from: SAMPLE_PROGRAM, mode: 0o644 }
  yield { kind: 'text', path: `${IN_IMAGE.app}/package.json`, content: '{"type":"module"}\n' }
}
