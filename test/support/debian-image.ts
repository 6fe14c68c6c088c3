import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { run } from './command.ts'

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
 * apt downloads; both are kept in the user's cache folder. The last layer holds what their installation makes:
 * compiled modules, the cache of the dynamic linker, alternatives.
 */
export async function debianImage(): Promise<DebianImage> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const place = join(cache, 'record-broker', 'python-numpy')
  if (!existsSync(place)) {
    const work = `${place}.${process.pid}`
    await rm(work, { recursive: true, force: true })
    await mkdir(join(work, 'root'), { recursive: true })
    await makeLayers(work)
    await rename(work, place)
  }
  const names = (await readdir(place)).filter((name) => name.endsWith('.tar')).toSorted()
  const layers = await Promise.all(names.map((name) => readFile(join(place, name))))
  return { layers, root: join(place, 'root') }
}

async function makeLayers(work: string): Promise<void> {
  const root = join(work, 'root')
  for (const [i, packages] of LAYERS.entries()) {
    const folder = join(work, `packages-${i}`)
    const layer = join(work, `layer-${i}`)
    await mkdir(folder)
    await mkdir(layer)
    await run('bash', '-c', 'cd "$0" && apt-get download -qq "$@"', folder, ...packages)
    for (const name of MERGED) await symlink(`usr/${name}`, join(layer, name))
    for (const name of MERGED) await mkdir(join(layer, 'usr', name), { recursive: true })
    const unpack =
      'for deb in "$0"/*.deb; do dpkg-deb --fsys-tarfile "$deb" | tar -xC "$1" --keep-directory-symlink; done'
    await run('bash', '-c', unpack, folder, layer)
    const links = i === 0 ? [] : MERGED.map((name) => `--exclude=./${name}`)
    await pack(join(work, `layer-${i}.tar`), layer, ...links, '.')
    await run('cp', '-aT', layer, root)
    await rm(layer, { recursive: true })
    await rm(folder, { recursive: true })
  }
  const before = join(work, 'before')
  await writeFile(before, '')
  await configure(root)
  const list = join(work, 'new')
  const find = 'cd "$0" && find . -newer "$1" "(" -type f -o -type l -o -empty ")" >"$2"'
  await run('bash', '-c', find, root, before, list)
  await pack(join(work, `layer-${LAYERS.length}.tar`), root, '--no-recursion', '-T', list)
}

function pack(archive: string, folder: string, ...what: string[]): Promise<string> {
  return run(
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
  await run('/sbin/ldconfig', '-X', '-f', '/dev/null', '-C', join(root, 'etc/ld.so.cache'), libraries)
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
  await run('env', `PYTHONHOME=${join(root, 'usr')}`, ...python, ...compile)
}
