/** The entry of every command. What a command needs is loaded when it is run: a conversion needs no HTTP server. */
import { enableCompileCache } from 'node:module'
import { dirname } from 'node:path'
import { setFlagsFromString } from 'node:v8'

// Nearly all garbage of conversions is gone at once: young generations that grow hold memory, and gain nothing.
if (process.argv[2] !== 'serve') setFlagsFromString('--semi-space-growth-factor=1')

// Sources are TypeScript: without the cache every start strips and compiles them again, in every thread.
const { directory } = enableCompileCache()
// Threads look for it there; each version of Node has a folder of its own inside.
if (directory !== undefined) process.env.NODE_COMPILE_CACHE = dirname(directory)

// Whoever started this process ends it by its own end. The channel keeps no command from ending.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
process.channel?.unref()

const { runCommandLine } = await import('./cli/entry.ts')
await runCommandLine(process.argv, {
  serve: async () => (await import('./app/serve.ts')).serve(),
  work: async () => (await import('./app/worker.ts')).work(),
})
