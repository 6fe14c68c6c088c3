import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder } from '../cache-folder.ts'
import { runProgram } from '../run-program.ts'

/** Debian 12 packages of each layer. */
const LAYERS: readonly (readonly string[])[] = [
  ['libc6', 'libc-bin', 'libgcc-s1', 'zlib1g', 'libexpat1', 'tzdata'],
  [
    ...['libssl3', 'libbz2-1.0', 'liblzma5', 'libffi8', 'libpython3.11-minimal', 'libpython3.11-stdlib'],
    ...['python3.11-minimal', 'python3-minimal'],
  ],
  ['python3-numpy', 'libblas3', 'liblapack3', 'libgfortran5', 'libquadmath0'],
]
/** As in every Debian since 12: the packages' own /lib goes through it. */
const MERGED = ['bin', 'lib', 'lib64', 'sbin']
const LIBRARIES = 'usr/lib/x86_64-linux-gnu'

/** A Debian root that has python3 and numpy. */
export type DebianImage = {
  /** Plain tar of each layer, lowest first. */
  readonly layers: readonly Buffer[]
  /** The same unpacked. */
  readonly root: string
}

/**
 * Makes the root that the profiles in test/fixtures were captured in, as an image of four layers, from packages that
 * apt downloads. The last layer holds what their installation makes: compiled modules, the cache of the dynamic
 * linker, alternatives.
 *
 * Both forms stay in the user's cache folder, under a name that covers this recipe and the versions of the packages.
 * A cached image is compared with its seal on every read, and made anew when it differs.
 */
export async function buildDebianImage(): Promise<DebianImage> {
  const place = join(cacheFolder(), `python-numpy-${await recipeDigest()}`)
  if (!(await isIntact(place))) {
    const work = `${place}.${process.pid}`
    await rm(work, { recursive: true, force: true })
    await mkdir(join(work, 'root'), { recursive: true })
    await makeLayers(work)
    await writeFile(join(work, SEAL), await sealOf(work))
    await rm(place, { recursive: true, force: true })
    // Another run may have put its own there meanwhile.
    await rename(work, place).catch(async (error: unknown) => {
      await rm(work, { recursive: true, force: true })
      if (!(await isIntact(place))) throw error
    })
  }
  const layers = await Promise.all((await layerNames(place)).map((name) => readFile(join(place, name))))
  return { layers, root: join(place, 'root') }
}

/** The file that holds the digest of everything else in a cached image. */
const SEAL = 'seal'

/** Covers this file and the exact packages that apt would download; their hosts do not matter. */
async function recipeDigest(): Promise<string> {
  const uris = await runProgram('apt-get', 'download', '--print-uris', ...LAYERS.flat())
  const packages = uris.split('\n').map((line) => line.replace(/^'[^']*' /, ''))
  const recipe = await readFile(fileURLToPath(import.meta.url))
  return createHash('sha256').update(recipe).update(packages.join('\n')).digest('hex').slice(0, 16)
}

async function isIntact(place: string): Promise<boolean> {
  try {
    return (await readFile(join(place, SEAL), 'utf8')) === (await sealOf(place))
  } catch {
    return false
  }
}

/** Covers the bytes of every layer, and of the root every name with its type, size and link target. */
async function sealOf(place: string): Promise<string> {
  const hash = createHash('sha256')
  for (const name of await layerNames(place)) hash.update(name).update(await readFile(join(place, name)))
  return hash.update(await namesIn(join(place, 'root'), '%y %s %l')).digest('hex')
}

async function layerNames(place: string): Promise<string[]> {
  return (await readdir(place)).filter((name) => name.endsWith('.tar')).toSorted()
}

/** A line for each path below a folder, sorted: the path, then what `format` of find's -printf shows. */
function namesIn(folder: string, format: string): Promise<string> {
  return runProgram('bash', '-c', 'cd "$0" && find . -mindepth 1 -printf "%P\t$1\n" | LC_ALL=C sort', folder, format)
}

async function makeLayers(work: string): Promise<void> {
  const root = join(work, 'root')
  for (const [i, packages] of LAYERS.entries()) {
    const folder = join(work, `packages-${i}`)
    const layer = join(work, `layer-${i}`)
    await mkdir(folder)
    await mkdir(layer)
    await runProgram('bash', '-c', 'cd "$0" && apt-get download -qq "$@"', folder, ...packages)
    for (const name of MERGED) await symlink(`usr/${name}`, join(layer, name))
    for (const name of MERGED) await mkdir(join(layer, 'usr', name), { recursive: true })
    const unpack =
      'for deb in "$0"/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -xC "$1" --keep-directory-symlink; done'
    await runProgram('bash', '-c', unpack, folder, layer)
    const links = i === 0 ? [] : MERGED.map((name) => `--exclude=./${name}`)
    await pack(join(work, `layer-${i}.tar`), layer, ...links, '.')
    await runProgram('cp', '-aT', layer, root)
    await rm(layer, { recursive: true })
    await rm(folder, { recursive: true })
  }
  await makeInstalledLayer(work, root)
}

/**
 * What the installation adds is found by comparing names: times within one clock tick are equal. As in the images of
 * many builders, the layer has no entries for the directories that hold its files.
 */
async function makeInstalledLayer(work: string, root: string): Promise<void> {
  const before = new Set(await leavesOf(root))
  await configure(root)
  const added = (await leavesOf(root)).filter((name) => !before.has(name))
  const list = join(work, 'added')
  await writeFile(list, added.map((name) => `./${name}\n`).join(''))
  const archive = join(work, `layer-${LAYERS.length}.tar`)
  await pack(archive, root, '--no-recursion', '--mtime=@1700000000', '-T', list)
  await rm(list)
}

/** The paths of files, symlinks and empty directories. */
async function leavesOf(root: string): Promise<string[]> {
  const found = (await namesIn(root, '%y')).split('\n').map((line) => line.split('\t'))
  const parents = new Set(found.map(([path = '']) => dirname(path)))
  return found.flatMap(([path = '', type]) =>
    path === '' || (type === 'd' && parents.has(path)) ? [] : path,
  )
}

function pack(archive: string, folder: string, ...what: string[]): Promise<string> {
  return runProgram(
    'tar',
    '-C',
    folder,
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--sort=name',
    '-cf',
    archive,
    ...what,
  )
}

/** What the packages' scripts do, without running anything as root. */
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
