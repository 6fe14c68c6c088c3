import { expect, it } from 'vitest'
import { SymlinkPathDetector } from './symlink-path-detector.ts'

it.each<[string, string[], boolean]>([
  ['next to a symlink', ['lib@', 'lib64/x', 'usr/lib/x'], false],
  ['below a symlink', ['lib@', 'lib/a/x'], true],
  ['below a symlink that follows them', ['lib/a/x', 'lib@'], true],
])('detects entries %s', (_, names, isDetected) => {
  const detector = new SymlinkPathDetector()
  const results = names.map((name) => detector.add(name.replace('@', ''), name.endsWith('@')))
  expect(results.includes(true)).toBe(isDetected)
})
