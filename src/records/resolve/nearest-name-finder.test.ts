import { expect, it } from 'vitest'
import { MergedView } from '../../rootfs/merged-view.ts'
import { RecordStepBudget } from '../record-step-budget.ts'
import { NearestNameFinder } from './nearest-name-finder.ts'

const reg = (name: string) => ({ name, type: 'reg' as const })
const view = new MergedView(
  [
    [
      reg('usr/lib/python3.12/json/__init__.py'),
      reg('usr/lib/python3.12/json/__pycache__/decoder.cpython-312.pyc'),
      { name: 'lib', type: 'symlink' as const, linkName: 'usr/lib' },
      reg('usr/lib/x86_64-linux-gnu/libz.so.1.3'),
      reg('opt/tool/bin/start-the-server'),
      reg('a/same'),
      reg('b/same'),
    ],
  ],
  new RecordStepBudget(),
)

it.each([
  ['usr/lib/python3.11/json/__init__.py', 'usr/lib/python3.12/json/__init__.py'],
  [
    'usr/lib/python3.11/json/__pycache__/decoder.cpython-311.pyc',
    'usr/lib/python3.12/json/__pycache__/decoder.cpython-312.pyc',
  ],
  ['lib/x86_64-linux-gnu/libz.so.1.2', 'usr/lib/x86_64-linux-gnu/libz.so.1.3'],
  ['usr/local/bin/start-the-server', 'opt/tool/bin/start-the-server'],
  ['usr/local/same', undefined],
  ['quite/another/thing', undefined],
])('%s is nearest to %s', (path, nearest) => {
  expect(new NearestNameFinder(view, [path]).find(path)).toBe(nearest)
})

it('is quick in large directories', () => {
  const many = Array.from({ length: 100_000 }, (_, i) => reg(`d/name-${i}-of-many`))
  const missing = Array.from({ length: 1000 }, (_, i) => `d/nome-${i}-of-none`)
  const large = new NearestNameFinder(new MergedView([many], new RecordStepBudget()), missing)
  const started = performance.now()
  for (const path of missing) large.find(path)
  expect(performance.now() - started).toBeLessThan(5000)
})
