import { expect, it } from 'vitest'
import { CompiledGlob } from './compiled-glob.ts'

it('matches a path independently of the paths before it', () => {
  const glob = new CompiledGlob('r.test/{team,other}/**')
  for (let round = 0; round < 3; round++) {
    expect(glob.matches('r.test/team/app')).toBe(true)
    expect(glob.matches('r.test/third/app')).toBe(false)
    expect(glob.matches('r.test/other/a/b')).toBe(true)
  }
})

it('uses little memory, however many paths it matches and however hostile it is', () => {
  const ordinary = new CompiledGlob('v*')
  const hostile = new CompiledGlob('*a'.repeat(150))
  for (let n = 0; n < 20_000; n++) ordinary.matches(`v${n}`)
  for (let n = 0; n < 20; n++) hostile.matches(n.toString(2).replaceAll('0', 'a').padStart(128, 'a'))
  expect(ordinary.estimatedBytes).toBeLessThan(100_000)
  expect(hostile.estimatedBytes).toBeLessThan(100_000)
})
