import { expect, it } from 'vitest'
import { NameTable } from './name-table.ts'

function tableOf(...names: string[]): NameTable {
  const table = new NameTable(names.length, (entry) => names[entry] ?? '')
  for (const entry of names.keys()) table.add(entry)
  return table
}

it('finds the last entry with each name, and the first', () => {
  const table = tableOf('a', 'b/c', 'a', '', 'b', 'a')
  expect(table.size).toBe(4)
  expect(table.getFirst('a')).toBe(0)
  expect(['a', 'b/c', 'b', '', 'c'].map((name) => table.get(name))).toEqual([5, 1, 4, 3, undefined])
  expect([...table.lastEntries()]).toEqual([5, 1, 3, 4])
  expect(tableOf().get('a')).toBeUndefined()
})

it('distinguishes many names', () => {
  const names = Array.from({ length: 20_000 }, (_, entry) => `usr/lib/${entry % 100}/${entry}`)
  const table = tableOf(...names)
  expect(names.map((name) => table.get(name))).toEqual([...names.keys()])
  expect(table.get('usr/lib/1/2')).toBeUndefined()
})

it('throws when it is used after it was released', () => {
  const table = tableOf('a')
  table.release()
  const uses = [
    () => table.get('a'),
    () => table.getFirst('a'),
    () => table.add(0),
    () => [...table.lastEntries()],
  ]
  for (const use of uses) expect(use).toThrow('the name table was used after it was released')
})
