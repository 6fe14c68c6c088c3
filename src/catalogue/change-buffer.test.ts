import { expect, it } from 'vitest'
import { formatReference, parseReference, type Reference } from '../oci/reference.ts'
import { ChangeBuffer } from './change-buffer.ts'

it('stores changes in batches, one after the other, and goes on after a failure', async () => {
  const stored: string[][] = []
  const errors: unknown[] = []
  const first = Promise.withResolvers<void>()
  const store = async (references: readonly Reference[]) => {
    stored.push(references.map(formatReference))
    if (stored.length === 1) {
      await first.promise
      throw new Error('the database is down')
    }
  }
  const buffer = new ChangeBuffer(store, (error) => errors.push(error))
  buffer.add(parseReference('r.test/app:1'))
  for (const tag of ['2', '3', '2']) buffer.add(parseReference(`r.test/app:${tag}`))
  first.resolve()
  await buffer.flush()
  expect(stored).toEqual([['r.test/app:1'], ['r.test/app:2', 'r.test/app:3']])
  expect(errors).toMatchObject([{ message: 'the database is down' }])
  buffer.add(parseReference('r.test/app:4'))
  await buffer.flush()
  expect(stored.at(-1)).toEqual(['r.test/app:4'])
})

it('holds a bounded number of changes', async () => {
  const stored: number[] = []
  const buffer = new ChangeBuffer(
    async (references) => void stored.push(references.length),
    () => {},
  )
  for (let n = 0; n < 5000; n++) buffer.add(parseReference(`r.test/app:${n}`))
  await buffer.flush()
  expect(stored).toEqual([1, 1000])
})
