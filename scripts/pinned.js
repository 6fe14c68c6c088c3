// Runs a script on the Node that package.json pins. The machine needs any Node from version 20. Installs the
// dependencies first if they are missing or older than the lock file, so that the commands of the README work
// in a fresh clone. This is JavaScript because it runs before anything is installed.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname } from 'node:path'
import { install, isInstalled, pinnedNode } from './install.js'

/** The interval at which this process checks whether npm, its parent, still runs. */
const PARENT_CHECK_INTERVAL_MS = 500

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

// The script notices the end of this process, even by SIGKILL, by the end of the IPC channel.
const child = spawn(pinnedNode, process.argv.slice(2), {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  env: { ...process.env, PATH: [dirname(pinnedNode), process.env.PATH ?? ''].join(delimiter) },
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
// npm 11 does not forward SIGTERM to scripts. They notice only that npm has exited.
if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    child.kill('SIGTERM')
  }, PARENT_CHECK_INTERVAL_MS)
}
child.on('error', (error) => {
  console.error(`${pinnedNode}: ${error.message}`)
  process.exit(1)
})
child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)))
