import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const CHECKER = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'record-broker-imports-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/**
 * Checks other sources with the import rules of this project. Returns the names of the rules that they break.
 */
function brokenRules(files: Readonly<Record<string, string>>): string[] {
  for (const [path, text] of Object.entries({ 'tsconfig.json': '{}', ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const rules = join(ROOT, '.dependency-cruiser.mjs')
  const args = [CHECKER, '--config', rules, '--output-type', 'json', 'src']
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  const { summary } = JSON.parse(stdout) as { summary: { violations: { rule: { name: string } }[] } }
  return [...new Set(summary.violations.map(({ rule }) => rule.name))].toSorted()
}

it('accepts imports of rooms below', () => {
  const files = {
    'src/jobs/job.ts': "import type { Table } from '../db/tables.ts'\nexport type Job = Table\n",
    'src/db/tables.ts': 'export type Table = string\n',
  }
  expect(brokenRules(files)).toEqual([])
})

it('rejects an import of a room above, even of a type', () => {
  const files = {
    'src/tar/header.ts': "import type { Job } from '../jobs/job.ts'\nexport type Header = Job\n",
    'src/jobs/job.ts': 'export type Job = string\n',
  }
  expect(brokenRules(files)).toEqual(['tar-imports-down'])
})

it('rejects a circle of types', () => {
  const files = {
    'src/tar/a.ts': "import type { B } from './b.ts'\nexport type A = B\n",
    'src/tar/b.ts': "import type { A } from './a.ts'\nexport type B = A\n",
  }
  expect(brokenRules(files)).toEqual(['no-circle'])
})

it('rejects modules of Node in the client, which runs in browsers', () => {
  const files = {
    'src/client/key.ts': "import { randomUUID } from 'node:crypto'\nexport const KEY = randomUUID()\n",
  }
  expect(brokenRules(files)).toEqual(['client-runs-everywhere'])
})

it('rejects an unknown room, and a file system below the formats', () => {
  const files = {
    'src/utils/name.ts': "import { NAME } from '../tar/name.ts'\nexport const OTHER = NAME\n",
    'src/tar/name.ts': "import { sep } from 'node:fs'\nexport const NAME = sep\n",
  }
  expect(brokenRules(files)).toEqual(['known-rooms', 'pure-formats'])
})
