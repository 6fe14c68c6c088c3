import { expect, it } from 'vitest'
import { NameTable } from './name-table.ts'

function tableOf(...names: string[]): NameTable {
  const table = new NameTable(names.length, (i) => names[i] ?? '')
  for (const i of names.keys()) table.add(i)
  return table
}

it('finds the last entry of each name, and the first', () => {
  const table = tableOf('a', 'b/c', 'a', '', 'b', 'a')
  expect(table.size).toBe(4)
  expect(table.first('a')).toBe(0)
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
