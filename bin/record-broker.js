#!/usr/bin/env node
// Starts the command line. On a Node that cannot run the sources (older than the pinned one), the
// pinned Node from node_modules takes over.
const PINNED_MAJOR = 26

if (Number(process.versions.node.split('.')[0]) >= PINNED_MAJOR) {
  await import('../src/main.ts')
} else {
  process.argv.splice(2, 0, new URL('../src/main.ts', import.meta.url).pathname)
  await import('../scripts/pinned.js')
}
