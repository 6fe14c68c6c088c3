#!/usr/bin/env node
// Starts the command line. On a Node that cannot run the sources (older than the pinned one), the
// pinned Node from node_modules takes over.
const PINNED_MAJOR = 26

if (Number(process.versions.node.split('.')[0]) >= PINNED_MAJOR) {
  // Before the first TypeScript, whose stripper takes long to load and is not needed when all of it is in the cache.
  const { enableCompileCache } = await import('node:module')
  enableCompileCache()
  await import('../src/main.ts')
} else {
  process.argv.splice(2, 0, new URL('../src/main.ts', import.meta.url).pathname)
  await import('../scripts/pinned.js')
}
