/** Asks a credential helper in a process that has one file descriptor left, and says what came of it. */
import { closeSync, openSync } from 'node:fs'
import { createDockerConfigSource } from '../../../src/registry/auth/docker-config.ts'

const [config = ''] = process.argv.slice(2)
// What is loaded when it is first used needs a file, too.
const find = createDockerConfigSource(config)
await find('r.example').catch(() => undefined)
let last = -1
try {
  for (;;) last = openSync('/dev/null', 'r')
} catch {
  closeSync(last)
}
const outcome = await find('r.example').catch((error: unknown) => error)
console.log(JSON.stringify({ code: (outcome as { code?: unknown }).code, message: String(outcome) }))
process.exit()
