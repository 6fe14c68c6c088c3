// Runs a script on the Node that package.json pins, whatever Node the machine has (20 or newer).
// Installs the dependencies first when they are missing or older than the lock file, so that the
// README's commands work in a fresh clone. Plain JavaScript on purpose: it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const installedMark = join(root, 'node_modules', '.package-lock.json')
const pinnedNode = join(root, 'node_modules', '.bin', 'node')

function installed() {
  if (!existsSync(installedMark) || !existsSync(pinnedNode)) return false
  return statSync(installedMark).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs
}

if (!installed()) {
  console.error('Installing dependencies (npm ci) ...')
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (npm.status !== 0) process.exit(npm.status ?? 1)
}
if (!existsSync(pinnedNode)) {
  console.error(
    'No pinned Node for this platform: package.json lists linux x64, linux arm64 and macOS arm64.',
  )
  process.exit(1)
}

const child = spawn(pinnedNode, process.argv.slice(2), {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(pinnedNode)}:${process.env.PATH ?? ''}` },
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => {
  console.error(`${pinnedNode}: ${error.message}`)
  process.exit(1)
})
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
