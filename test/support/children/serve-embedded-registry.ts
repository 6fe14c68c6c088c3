// node test/support/children/serve-embedded-registry.ts ROOT
// Serves the embedded registry on a free port of 127.0.0.1, and prints its URL. SIGTERM and SIGINT stop it.
import { fastify } from 'fastify'
import { createEmbeddedRegistry } from '../../../src/embedded-registry/plugin.ts'

const root = process.argv[2]
if (root === undefined) {
  console.error('usage: serve-embedded-registry.ts ROOT')
  process.exit(2)
}
const app = fastify({ forceCloseConnections: true })
await app.register(await createEmbeddedRegistry({ root }))
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void app.close())
console.log(await app.listen({ host: '127.0.0.1', port: 0 }))
