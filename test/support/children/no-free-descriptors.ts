/** Runs a credential helper in a process with a single free file descriptor, and prints the error as JSON. */
import { closeSync, openSync } from 'node:fs'
import { createDockerConfigSource } from '../../../src/registry/auth/docker-config.ts'

const [config = ''] = process.argv.slice(2)
const findCredentials = createDockerConfigSource(config)
// The first call loads modules lazily, which needs descriptors of its own.
await findCredentials('r.example').catch(() => undefined)
let last = -1
try {
  for (;;) last = openSync('/dev/null', 'r')
} catch {
  closeSync(last)
}
const result = await findCredentials('r.example').catch((error: unknown) => error)
console.log(JSON.stringify({ code: (result as { code?: unknown }).code, message: String(result) }))
process.exit()
