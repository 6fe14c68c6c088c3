// Generates openapi/openapi.json from the schemas of the routes.

import { writeFile } from 'node:fs/promises'
import { VERSION } from '../src/app/version.ts'
import { buildApp } from '../src/http/app.ts'

const app = await buildApp({
  version: VERSION,
  services: {} as never,
  logger: false,
  maxBodyBytes: 1024,
  requestTimeoutMs: 1000,
})
await writeFile(
  new URL('../openapi/openapi.json', import.meta.url),
  `${JSON.stringify(app.swagger(), undefined, 2)}\n`,
)
await app.close()
