// Installs the packages of the lock file. npm runs on the Node that package.json pins, as it compares the
// `engines` of packages with its own Node. This is JavaScript because it runs before anything is installed,
// on Node 20 or newer.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const installedLock = join(root, 'node_modules', '.package-lock.json')

/** The path of the pinned Node after the installation. */
export const pinnedNode = join(root, 'node_modules', '.bin', 'node')

/** Whether the packages of the current lock file are installed. */
export function isInstalled() {
  if (!existsSync(installedLock) || !existsSync(pinnedNode)) return false
  return statSync(installedLock).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs
}

/** Installs all packages. Returns the exit status of npm. */
export function install() {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const platforms = lock.packages[''].optionalDependencies
  const pinned = Object.values(platforms).map((version) => `v${version}`)
  if (pinned.includes(process.version)) return npmCi(root, process.env.PATH)
  const folder = mkdtempSync(join(tmpdir(), 'record-broker-node-'))
  try {
    writePinnedProject(folder, lock, platforms)
    const path = [join(folder, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter)
    return npmCi(folder, process.env.PATH) || npmCi(root, path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Writes a project that has only the pinned Node, with the versions and digests of the lock file. */
function writePinnedProject(folder, lock, platforms) {
  const manifest = { name: 'pinned-node', version: '0.0.0', private: true, optionalDependencies: platforms }
  const packages = Object.fromEntries(
    Object.keys(platforms).map((name) => [`node_modules/${name}`, lock.packages[`node_modules/${name}`]]),
  )
  const write = (name, content) => writeFileSync(join(folder, name), JSON.stringify(content))
  write('package.json', manifest)
  write('package-lock.json', { ...manifest, lockfileVersion: 3, packages: { '': manifest, ...packages } })
  copyFileSync(join(root, '.npmrc'), join(folder, '.npmrc'))
}

function npmCi(folder, path) {
  const env = { ...process.env, PATH: path }
  // `npm run` sets this to the folder of its own project, which may not be the one to install.
  delete env.npm_config_local_prefix
  // Standard output belongs to the script that runs after the installation.
  const stdio = ['ignore', 2, 2]
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio, env })
  if (error) throw error
  return status ?? 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = install()
