import { expect, it } from 'vitest'
import { PathsThroughLinks } from './paths-through-links.ts'

it.each<[string, string[], boolean]>([
  ['beside a symlink', ['lib@', 'lib64/x', 'usr/lib/x'], false],
  ['below a symlink', ['lib@', 'lib/a/x'], true],
  ['before the symlink that it is below', ['lib/a/x', 'lib@'], true],
])('notices entries %s', (_, names, isFound) => {
  const paths = new PathsThroughLinks()
  const found = names.map((name) => paths.take(name.replace('@', ''), name.endsWith('@')))
  expect(found.includes(true)).toBe(isFound)
})
