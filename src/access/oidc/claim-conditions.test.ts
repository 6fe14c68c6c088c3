import { describe, expect, it } from 'vitest'
import { claimAt, fulfils } from './claim-conditions.ts'

describe('claimAt', () => {
  const claims = {
    plain: 'a',
    'https://example.com/groups': 'b',
    'kubernetes.io': { serviceaccount: { uid: 'c' }, 'a/b~c': 'd' },
    list: ['e'],
  }

  it.each([
    ['plain', 'a'],
    ['https://example.com/groups', 'b'],
    ['/plain', 'a'],
    ['/https:~1~1example.com~1groups', 'b'],
    ['/kubernetes.io/serviceaccount/uid', 'c'],
    ['/kubernetes.io/a~1b~0c', 'd'],
    ['kubernetes.io/serviceaccount/uid', undefined],
    ['/list/0', undefined],
    ['/list/length', undefined],
    ['/plain/length', undefined],
    ['toString', undefined],
    ['/__proto__/toString', undefined],
    ['/', undefined],
  ])('%s', (name, value) => {
    expect(claimAt(claims, name)).toEqual(value)
  })
})

it('compares values with their type, and demands every claim', () => {
  expect(fulfils({ a: '1', b: true }, { a: ['2', '1'], b: true })).toBe(true)
  expect(fulfils({ a: '1' }, { a: '1', b: true })).toBe(false)
  for (const a of [1, ['1'], '1 ', ' 1', '１', { toString: () => '1' }, null, undefined])
    expect(fulfils({ a }, { a: '1' })).toBe(false)
  expect(fulfils({ a: 'true' }, { a: true })).toBe(false)
  expect(fulfils({ a: null }, { a: 'null' })).toBe(false)
})
