import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SETTINGS } from '../src/app/config.ts'
import { BoundSettings } from '../src/app/config-bounds.ts'

const root = new URL('../', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, root), 'utf8')

describe('docs/reliability.md', () => {
  const page = read('docs/reliability.md')

  it.each(Object.entries(BoundSettings))('has a row for %s with its default', (name, schema) => {
    expect(page).toContain(`| \`${name}\` | ${schema.parse(undefined)} |`)
  })

  it('names only settings and tests that exist', () => {
    const settings = new Set(SETTINGS.map(({ name }) => name))
    const files = ['src', 'test'].flatMap((folder) =>
      readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' }).map((path) => basename(path)),
    )
    const named = page.match(/RECORD_BROKER_[A-Z_]+/g) ?? []
    expect(named.filter((name) => !settings.has(name))).toEqual([])
    const tests = page.match(/[a-z-]+(\.slow)?\.(test|faults)\.ts/g) ?? []
    expect(tests.length).toBeGreaterThan(10)
    expect(tests.filter((name) => !files.includes(name))).toEqual([])
  })
})
