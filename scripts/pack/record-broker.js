#!/usr/bin/env node
// Starts the command line of the published package, which holds compiled JavaScript.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`record-broker needs Node 22.19 or newer; this is ${process.version}\n`)
  process.exit(1)
}
const { enableCompileCache } = await import('node:module')
enableCompileCache()
await import('../dist/main.js')
