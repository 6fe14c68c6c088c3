import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder } from '../cache-folder.ts'
import { runProgram } from '../run-program.ts'

/** The Debian 12 packages of each layer. */
const LAYERS: readonly (readonly string[])[] = [
  ['libc6', 'libc-bin', 'libgcc-s1', 'zlib1g', 'libexpat1', 'tzdata'],
  [
    ...['libssl3', 'libbz2-1.0', 'liblzma5', 'libffi8', 'libpython3.11-minimal', 'libpython3.11-stdlib'],
    ...['python3.11-minimal', 'python3-minimal'],
  ],
  ['python3-numpy', 'libblas3', 'liblapack3', 'libgfortran5', 'libquadmath0'],
]
/**
 * Directories of the root that are symlinks to /usr, as in every Debian since version 12. Packages install
 * through them.
 */
const USR_MERGED = ['bin', 'lib', 'lib64', 'sbin']
const LIBRARIES = 'usr/lib/x86_64-linux-gnu'

/** A Debian root file system with python3 and numpy. */
export type DebianImage = {
  /** The uncompressed archives of the layers, lowest first. */
  readonly layers: readonly Buffer[]
  /** The folder with the extracted layers. */
  readonly root: string
}

/**
 * Builds the root in which the profiles in test/fixtures were captured, as an image of four layers, from
 * packages that apt downloads. The last layer has the files that their installation creates: compiled
 * modules, the cache of the dynamic linker, alternatives.
 *
 * The image is cached in the user's cache folder. Its name depends on this file and on the versions of the
 * packages. A cached image is verified on each use, and built again if it was changed.
 */
export async function buildDebianImage(): Promise<DebianImage> {
  const folder = join(cacheFolder(), `python-numpy-${await recipeDigest()}`)
  if (!(await isIntact(folder))) {
    const work = `${folder}.${process.pid}`
    await rm(work, { recursive: true, force: true })
    await mkdir(join(work, 'root'), { recursive: true })
    await buildLayers(work)
    await writeFile(join(work, CHECKSUM), await computeChecksum(work))
    await rm(folder, { recursive: true, force: true })
    // A concurrent run may have created the folder in the meantime.
    await rename(work, folder).catch(async (error: unknown) => {
      await rm(work, { recursive: true, force: true })
      if (!(await isIntact(folder))) throw error
    })
  }
  const layers = await Promise.all((await listLayers(folder)).map((name) => readFile(join(folder, name))))
  return { layers, root: join(folder, 'root') }
}

/** The file with the checksum of all other files in a cached image. */
const CHECKSUM = 'checksum'

/** Covers this file and the exact packages that apt would download, independently of the mirror. */
async function recipeDigest(): Promise<string> {
  const uris = await runProgram('apt-get', 'download', '--print-uris', ...LAYERS.flat())
  const packages = uris.split('\n').map((line) => line.replace(/^'[^']*' /, ''))
  const recipe = await readFile(fileURLToPath(import.meta.url))
  return createHash('sha256').update(recipe).update(packages.join('\n')).digest('hex').slice(0, 16)
}

async function isIntact(folder: string): Promise<boolean> {
  try {
    return (await readFile(join(folder, CHECKSUM), 'utf8')) === (await computeChecksum(folder))
  } catch {
    return false
  }
}

/** Covers the bytes of every layer, and the name, type, size and link target of every path in the root. */
async function computeChecksum(folder: string): Promise<string> {
  const hash = createHash('sha256')
  for (const name of await listLayers(folder)) hash.update(name).update(await readFile(join(folder, name)))
  return hash.update(await listPaths(join(folder, 'root'), '%y %s %l')).digest('hex')
}

async function listLayers(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.tar')).toSorted()
}

/**
 * Returns a line for each path below a folder, sorted: the path, and its attributes in a format of find's
 * -printf.
 */
function listPaths(folder: string, format: string): Promise<string> {
  return runProgram(
    'bash',
    '-c',
    'cd "$0" && find . -mindepth 1 -printf "%P\t$1\n" | LC_ALL=C sort',
    folder,
    format,
  )
}

async function buildLayers(work: string): Promise<void> {
  const root = join(work, 'root')
  for (const [i, packages] of LAYERS.entries()) {
    const folder = join(work, `packages-${i}`)
    const layer = join(work, `layer-${i}`)
    await mkdir(folder)
    await mkdir(layer)
    await runProgram('bash', '-c', 'cd "$0" && apt-get download -qq "$@"', folder, ...packages)
    for (const name of USR_MERGED) await symlink(`usr/${name}`, join(layer, name))
    for (const name of USR_MERGED) await mkdir(join(layer, 'usr', name), { recursive: true })
    const extract =
      'for deb in "$0"/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -xC "$1" --keep-directory-symlink; done'
    await runProgram('bash', '-c', extract, folder, layer)
    const links = i === 0 ? [] : USR_MERGED.map((name) => `--exclude=./${name}`)
    await archive(join(work, `layer-${i}.tar`), layer, ...links, '.')
    await runProgram('cp', '-aT', layer, root)
    await rm(layer, { recursive: true })
    await rm(folder, { recursive: true })
  }
  await buildInstalledLayer(work, root)
}

/**
 * Finds the files that the installation adds by their names, as times within one clock tick are equal. The
 * layer has no entries for the parent directories of its files, like the images of many builders.
 */
async function buildInstalledLayer(work: string, root: string): Promise<void> {
  const before = new Set(await listLeaves(root))
  await configure(root)
  const added = (await listLeaves(root)).filter((name) => !before.has(name))
  const list = join(work, 'added')
  await writeFile(list, added.map((name) => `./${name}\n`).join(''))
  const layer = join(work, `layer-${LAYERS.length}.tar`)
  await archive(layer, root, '--no-recursion', '--mtime=@1700000000', '-T', list)
  await rm(list)
}

/** Returns the paths of files, symlinks and empty directories. */
async function listLeaves(root: string): Promise<string[]> {
  const paths = (await listPaths(root, '%y')).split('\n').map((line) => line.split('\t'))
  const parents = new Set(paths.map(([path = '']) => dirname(path)))
  return paths.flatMap(([path = '', type]) =>
    path === '' || (type === 'd' && parents.has(path)) ? [] : path,
  )
}

function archive(path: string, folder: string, ...members: string[]): Promise<string> {
  return runProgram(
    'tar',
    '-C',
    folder,
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--sort=name',
    '-cf',
    path,
    ...members,
  )
}

/** Does what the install scripts of the packages do, without running anything as root. */
async function configure(root: string): Promise<void> {
  const link = async (name: string, target: string) => {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await symlink(target, join(root, name))
  }
  for (const name of ['libblas.so.3', 'liblapack.so.3']) {
    const alternative = `etc/alternatives/${name}-x86_64-linux-gnu`
    await link(alternative, `/${LIBRARIES}/${name.slice('lib'.length, -'.so.3'.length)}/${name}`)
    await link(`${LIBRARIES}/${name}`, `/${alternative}`)
  }
  await link('etc/localtime', '/usr/share/zoneinfo/Etc/UTC')
  await mkdir(join(root, 'usr/local/lib/python3.11/dist-packages'), { recursive: true })
  const libraries = join(root, LIBRARIES)
  await runProgram('/sbin/ldconfig', '-X', '-f', '/dev/null', '-C', join(root, 'etc/ld.so.cache'), libraries)
  const python = [
    join(libraries, 'ld-linux-x86-64.so.2'),
    '--library-path',
    libraries,
    join(root, 'usr/bin/python3.11'),
  ]
  const folders = ['usr/lib/python3.11', 'usr/lib/python3/dist-packages/numpy'].map((name) =>
    join(root, name),
  )
  const compile = ['-S', '-m', 'compileall', '-q', '-x', '/tests?/', ...folders]
  await runProgram('env', `PYTHONHOME=${join(root, 'usr')}`, ...python, ...compile)
}
