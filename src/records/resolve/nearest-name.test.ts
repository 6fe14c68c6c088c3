import { expect, it } from 'vitest'
import { MergedView } from '../../rootfs/merged-view.ts'
import { StepBudget } from '../step-budget.ts'
import { NearestNames } from './nearest-name.ts'

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
  new StepBudget(),
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
])('%s was nearest to %s', (path, nearest) => {
  expect(new NearestNames(view, [path]).nearest(path)).toBe(nearest)
})

it('stays quick where directories are large', () => {
  const many = Array.from({ length: 100_000 }, (_, i) => reg(`d/name-${i}-of-many`))
  const asked = Array.from({ length: 1000 }, (_, i) => `d/nome-${i}-of-none`)
  const large = new NearestNames(new MergedView([many], new StepBudget()), asked)
  const started = performance.now()
  for (const path of asked) large.nearest(path)
  expect(performance.now() - started).toBeLessThan(5000)
})
