// Writes src/client/schema.ts, the types of the client, from openapi/openapi.json.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { installTools } from '../install-tools.ts'

const CHECKOUT = resolve(import.meta.dirname, '../..')
const SCHEMA = join(CHECKOUT, 'src/client/schema.ts')
const HEADER = '// Generated from openapi/openapi.json by `npm run client-types`. Do not edit.\n\n'

const program = join(installTools(import.meta.dirname), 'node_modules/openapi-typescript/bin/cli.js')
execFileSync(
  process.execPath,
  [
    program,
    join(CHECKOUT, 'openapi/openapi.json'),
    // A field of a request that has a default may be left out.
    '--default-non-nullable=false',
    '--output',
    SCHEMA,
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
)
const generated = readFileSync(SCHEMA, 'utf8').replace(/^\/\*\*[^/]*\*\/\s*/, '')
writeFileSync(SCHEMA, HEADER + generated)
