import { expect, it } from 'vitest'
import { ByteBudget } from './byte-budget.ts'

it('reserves no more bytes than are available', () => {
  const budget = new ByteBudget(10)
  expect([budget.tryReserve(11), budget.tryReserve(6), budget.tryReserve(5)]).toEqual([false, true, false])
  expect([budget.tryReserve(4), budget.tryReserve(0), budget.tryReserve(1)]).toEqual([true, true, false])
})

it('makes released bytes available again', () => {
  const budget = new ByteBudget(10)
  budget.tryReserve(10)
  budget.release(3)
  expect([budget.tryReserve(4), budget.tryReserve(3), budget.tryReserve(1)]).toEqual([false, true, false])
})
