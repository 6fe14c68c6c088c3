import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { withCommandReference } from '../scripts/write-command-reference.ts'

it('docs/cli.md describes the commands as they are; npm run command-reference updates it', () => {
  const page = readFileSync(new URL('../docs/cli.md', import.meta.url), 'utf8')
  expect(page).toBe(withCommandReference(page))
})
