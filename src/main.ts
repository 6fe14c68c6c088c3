/**
 * The entry point of every command. Each command loads its own modules: a conversion needs no HTTP server.
 */
import { enableCompileCache } from 'node:module'
import { dirname } from 'node:path'
import { setFlagsFromString } from 'node:v8'

// Almost all garbage of a conversion is short-lived: a growing young generation would hold memory and gain
// nothing.
if (process.argv[2] !== 'serve') setFlagsFromString('--semi-space-growth-factor=1')

// The sources are TypeScript: without the cache, every process and every thread strips and compiles them
// again.
const { directory } = enableCompileCache()
// Threads find the cache through this variable; Node adds a folder for its version below it.
if (directory !== undefined) process.env.NODE_COMPILE_CACHE = dirname(directory)

// The process stops when its parent exits. The channel must not keep a finished command alive.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()

const { runCommandLine } = await import('./cli/entry.ts')
await runCommandLine(process.argv, {
  serve: async () => (await import('./app/serve.ts')).serve(),
  work: async () => (await import('./app/worker.ts')).work(),
})
