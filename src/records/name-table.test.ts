import { expect, it } from 'vitest'
import { NameTable } from './name-table.ts'

const tableOf = (...names: string[]) => new NameTable(names.map((name) => ({ name, type: 'reg' })))

it('finds the last entry of each name', () => {
  const table = tableOf('a', 'b/c', 'a', '', 'b', 'a')
  expect(['a', 'b/c', 'b', '', 'c'].map((name) => table.get(name))).toEqual([5, 1, 4, 3, undefined])
  expect([...table.standing()]).toEqual([5, 1, 3, 4])
  expect(tableOf().get('a')).toBeUndefined()
})

it('tells many names apart', () => {
  const names = Array.from({ length: 20_000 }, (_, i) => `usr/lib/${i % 100}/${i}`)
  const table = tableOf(...names)
  expect(names.map((name) => table.get(name))).toEqual([...names.keys()])
  expect(table.get('usr/lib/1/2')).toBeUndefined()
})
