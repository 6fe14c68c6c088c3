import { expect, it } from 'vitest'
import { parseExact } from './exact-json.ts'

it.each([
  '{"a":9223372036854775807,"b":-9223372036854775808}',
  '{"a":1.0,"b":1e3,"c":-0,"d":0.1,"e":1E+400,"f":123456789012345678901234567890}',
  '{"a":{"b":[1,2.50,{"c":18446744073709551615}]}}',
  '{"__proto__":{"x":1.0},"constructor":1,"é":"\\ud800"}',
  '{"10":"ten","2":2,"text":"9223372036854775807"}',
])('writes %s as it was', (text) => {
  const { more, ...document } = { ...parseExact(Buffer.from(text)), more: 1 }
  const order = (written: string) => [...written].toSorted().join('')
  expect(order(JSON.stringify(document))).toBe(order(text))
  expect(JSON.parse(JSON.stringify(document))).toEqual(JSON.parse(text))
})

it('refuses what is no JSON', () => {
  expect(() => parseExact(Buffer.from('{"a":01}'))).toThrow(SyntaxError)
})
