import { describe, expect, it } from 'vitest'
import { CompiledGlob } from './compiled-glob.ts'
import { escapeGlob, isGlobPattern, literalOf } from './glob.ts'

const matchesGlob = (pattern: string, path: string) => new CompiledGlob(pattern).matches(path)

describe('a glob', () => {
  it.each([
    ['usr/*/app', 'usr/bin/app', true],
    ['usr/*/app', 'usr/bin/x/app', false],
    ['usr/*', 'usr', false],
    ['usr/*/', 'usr/x', true],
    ['a/*/b', 'a/b', false],
    ['*.so', 'libc.so', true],
    ['*.so', 'lib/libc.so', false],
    ['lib?.so', 'libc.so', true],
    ['lib?.so', 'libcc.so', false],
    ['lib?.so', 'lib\u{1f433}.so', true],
    ['lib?.so', 'lib\udc80.so', true],
    ['[a-c]x', 'bx', true],
    ['[!a-c]x', 'bx', false],
    ['[^a-c]x', 'dx', true],
    ['[^a-c]x', '/x', false],
    ['[a\\]]x', ']x', true],
    ['[-a]x', '-x', true],
    ['**/*.so', 'a.so', true],
    ['**/*.so', 'usr/lib/deep/a.so', true],
    ['usr/**', 'usr/a/b', true],
    ['usr/**', 'usr', true],
    ['usr/**/', 'usr/a', true],
    ['usr/**/b', 'usr/b', true],
    ['usr/**/b', 'usr/a/c/b', true],
    ['usr/**/**/b', 'usr/b', true],
    ['**', 'a/b/c', true],
    ['a**b', 'axxb', true],
    ['a**b', 'a/b', false],
    ['**b', 'a/b', false],
    ['/usr/./bin/../lib/*', 'usr/lib/x', true],
    ['/usr//lib/./x', 'usr/lib/x', true],
    ['usr/lib/.', 'usr/lib', true],
    ['usr/.hidden/*', 'usr/.hidden/x', true],
    ['{a,b}/{c,d}', 'b/c', true],
    ['lib{,64}/x', 'lib/x', true],
    ['lib{,64}/x', 'lib6/x', false],
    ['usr/{,local/}lib/*.so', 'usr/lib/a.so', true],
    ['usr/{,local/}lib/*.so', 'usr/local/lib/a.so', true],
    ['usr{/local,}/lib', 'usr/lib', true],
    ['usr/{,local}/lib', 'usr/lib', true],
    ['{a/b,c}/d', 'a/b/d', true],
    ['{**/,}x', 'a/b/x', true],
    ['a/{x,}**/b', 'a/c/d/b', true],
    ['{{a,b}c,d}e', 'bce', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
  ])('%s and %s: %s', (pattern, path, expected) => {
    expect(matchesGlob(pattern, path)).toBe(expected)
  })

  it.each(['[', '[a', '[]', 'a\\', '{a', '[!]', '{a,..}/b', '{'.repeat(40) + '}'.repeat(40)])(
    '%s is malformed',
    (pattern) => {
      expect(isGlobPattern(pattern)).toBe(false)
      expect(matchesGlob(pattern, pattern)).toBe(false)
    },
  )

  it.each([
    [`${'*a'.repeat(500)}b`, 'a'.repeat(3000)],
    [`${'**/a/'.repeat(300)}x`, 'a/'.repeat(1000) + 'a'.repeat(1000)],
    [`${'{a,b}'.repeat(800)}x`, 'ab'.repeat(400)],
    [`${'{a,b}*'.repeat(600)}x`, 'ab'.repeat(400)],
    [`${'{a,{b,{c,d}}}'.repeat(300)}x`, 'abcd'.repeat(80)],
  ])('is matched in bounded time, however hostile it is: %.20s', (pattern, path) => {
    let result: unknown
    try {
      result = matchesGlob(pattern, path)
    } catch (error) {
      result = (error as { code: string }).code
    }
    expect([false, 'GLOBS_TOO_COSTLY']).toContain(result)
  })
})

it('escapes a path as a glob that matches only this path', () => {
  for (const path of ['a*b', '[id].js', 'x{1,2}', 'back\\slash', 'what?']) {
    expect(matchesGlob(escapeGlob(path), path)).toBe(true)
    expect(literalOf(escapeGlob(path))).toBe(path)
  }
  expect(literalOf('a*')).toBeUndefined()
})
