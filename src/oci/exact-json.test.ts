import { expect, it } from 'vitest'
import { parseExactJson } from './exact-json.ts'

it.each([
  '{"a":9223372036854775807,"b":-9223372036854775808}',
  '{"a":1.0,"b":1e3,"c":-0,"d":0.1,"e":1E+400,"f":123456789012345678901234567890}',
  '{"a":{"b":[1,2.50,{"c":18446744073709551615}]}}',
  '{"__proto__":{"x":1.0},"constructor":1,"é":"\\ud800"}',
  '{"10":"ten","2":2,"text":"9223372036854775807"}',
])('writes %s with the same digits', (text) => {
  const { added, ...document } = { ...parseExactJson(Buffer.from(text)), added: 1 }
  // Members with integer names change their place.
  const sortCharacters = (written: string) => [...written].toSorted().join('')
  expect(sortCharacters(JSON.stringify(document))).toBe(sortCharacters(text))
  expect(JSON.parse(JSON.stringify(document))).toEqual(JSON.parse(text))
})

it('rejects text that is not JSON', () => {
  expect(() => parseExactJson(Buffer.from('{"a":01}'))).toThrow(SyntaxError)
})
