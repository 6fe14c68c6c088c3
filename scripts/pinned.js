// Runs a script on the Node that package.json pins, whatever Node the machine has (20 or newer).
// Installs the dependencies first when they are missing or older than the lock file, so that the
// README's commands work in a fresh clone. Plain JavaScript on purpose: it runs before anything is installed.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname } from 'node:path'
import { install, isInstalled, pinnedNode } from './install.js'

/** How often it looks whether the npm that started it still runs. */
const PARENT_CHECK_MS = 500

if (!isInstalled()) {
  console.error('Installing dependencies (npm ci) ...')
  const status = install()
  if (status !== 0) process.exit(status)
}
if (!existsSync(pinnedNode)) {
  console.error(
    'No pinned Node for this platform: package.json lists linux x64, linux arm64 and macOS arm64.',
  )
  process.exit(1)
}

// The end of the channel tells the script that this process is gone, however it ended.
const child = spawn(pinnedNode, process.argv.slice(2), {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  env: { ...process.env, PATH: [dirname(pinnedNode), process.env.PATH ?? ''].join(delimiter) },
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
// npm hands no SIGTERM on to what it runs (npm 11): its end is the only sign.
if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    child.kill('SIGTERM')
  }, PARENT_CHECK_MS)
}
child.on('error', (error) => {
  console.error(`${pinnedNode}: ${error.message}`)
  process.exit(1)
})
child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)))
