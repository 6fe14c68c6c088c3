/** The entry of every command. What a command needs is loaded when it is run: a conversion needs no HTTP server. */
import { enableCompileCache } from 'node:module'

// Sources are TypeScript: without the cache every start strips and compiles them again, in every thread.
const { directory } = enableCompileCache()
// Threads look for it there.
if (directory !== undefined) process.env.NODE_COMPILE_CACHE = directory

const { runCommandLine } = await import('./cli.ts')
await runCommandLine(process.argv, {
  serve: async () => (await import('./serve.ts')).serve(),
  work: async () => (await import('./work.ts')).work(),
})
