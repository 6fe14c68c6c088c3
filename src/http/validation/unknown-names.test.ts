import { expect, it } from 'vitest'
import { nearestName } from './nearest-name.ts'
import { listUnknownNames } from './unknown-names.ts'

it.each([
  ['lable', ['label', 'limit'], 'label'],
  ['LIMIT', ['label', 'limit'], 'limit'],
  ['createdfrom', ['createdFrom', 'createdBefore'], 'createdFrom'],
  ['labels', ['label', 'limit'], 'label'],
  ['x', ['id', 'ns'], undefined],
  ['entirely-different', ['label', 'limit'], undefined],
  ['a'.repeat(10_000), ['label'], undefined],
])('the name nearest to %s of %j is %s', (given, known, nearest) => {
  expect(nearestName(given, known)).toBe(nearest)
})

it('lists a bounded number of shortened names', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `${i}-${'x'.repeat(10_000)}`)
  const text = listUnknownNames(names, ['label'])
  expect(text.length).toBeLessThan(1000)
  expect(text).toMatch(/and 990 more$/)
  expect(listUnknownNames(['"\n', 'lable'], ['label'])).toBe('"\\"\\n", "lable" (did you mean "label"?)')
})
