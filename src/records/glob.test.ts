import { describe, expect, it } from 'vitest'
import { RecordError } from './errors.ts'
import { compileGlob, escapeGlob, literalOf, matchesGlob } from './glob.ts'

function matches(pattern: string, path: string): boolean {
  const glob = compileGlob(pattern)
  if (glob === undefined) throw new Error(`${pattern} is malformed`)
  return matchesGlob(glob, path)
}

describe('a glob', () => {
  it.each([
    ['usr/*/app', 'usr/bin/app', true],
    ['usr/*/app', 'usr/bin/x/app', false],
    ['usr/*', 'usr', false],
    ['*.so', 'libc.so', true],
    ['*.so', 'lib/libc.so', false],
    ['lib?.so', 'libc.so', true],
    ['lib?.so', 'libcc.so', false],
    ['lib?.so', 'lib\u{1f433}.so', true],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[^a-c]x', 'dx', true],
    ['[a\\]]x', ']x', true],
    ['**/*.so', 'a.so', true],
    ['**/*.so', 'usr/lib/deep/a.so', true],
    ['usr/**', 'usr/a/b', true],
    ['usr/**/b', 'usr/b', true],
    ['usr/**/b', 'usr/a/c/b', true],
    ['a**b', 'axxb', true],
    ['a**b', 'a/b', false],
    ['/usr/./bin/../lib/*', 'usr/lib/x', true],
    ['{a,b}/{c,d}', 'b/c', true],
    ['lib{,64}/x', 'lib/x', true],
    ['lib{,64}/x', 'lib6/x', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
  ])('%s and %s: %s', (pattern, path, expected) => {
    expect(matches(pattern, path)).toBe(expected)
  })

  it.each(['[', '[a', '[]', 'a\\', '{a', '[!]'])('%s is malformed', (pattern) => {
    expect(compileGlob(pattern)).toBeUndefined()
  })

  it('costs little, however hostile it is', () => {
    const name = 'a'.repeat(3000)
    expect(matches(`${'*a'.repeat(500)}b`, name)).toBe(false)
    expect(matches(`${'**/a/'.repeat(8)}x`, 'a/'.repeat(1000) + name)).toBe(false)
    expect(() => compileGlob('{a,b}'.repeat(30))).toThrow(RecordError)
    expect(() => compileGlob('**/a/'.repeat(9))).toThrow(RecordError)
    expect(() => compileGlob('a/'.repeat(300))).toThrow(RecordError)
  })
})

it('a path that looks like a glob can be written as one that means it alone', () => {
  for (const path of ['a*b', '[id].js', 'x{1,2}', 'back\\slash', 'what?']) {
    expect(matches(escapeGlob(path), path)).toBe(true)
    expect(literalOf(escapeGlob(path))).toBe(path)
  }
  expect(literalOf('a*')).toBeUndefined()
})
