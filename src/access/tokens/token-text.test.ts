import { describe, expect, it } from 'vitest'
import { isTokenText, newTokenText, shownPrefix } from './token-text.ts'

describe('the text of a token', () => {
  it('has a prefix for scanners, 190 random bits and a checksum', () => {
    const texts = Array.from({ length: 200 }, newTokenText)
    expect(new Set(texts).size).toBe(200)
    for (const text of texts) {
      expect(text).toMatch(/^rbt_[0-9A-Za-z]{38}$/)
      expect(isTokenText(text)).toBe(true)
      expect(text.startsWith(shownPrefix(text))).toBe(true)
      expect(shownPrefix(text)).toHaveLength(10)
    }
  })

  it('is refused with any typing error', () => {
    const text = newTokenText()
    for (let n = 0; n < text.length; n++) {
      const other = text[n] === 'x' ? 'y' : 'x'
      expect(isTokenText(`${text.slice(0, n)}${other}${text.slice(n + 1)}`)).toBe(false)
    }
    for (const wrong of ['', 'rbt_', text.slice(1), text.slice(0, -1), `${text}a`, ` ${text}`, `${text}\n`])
      expect(isTokenText(wrong)).toBe(false)
  })

  it('never changes its form: brokers refuse what they do not recognise', () => {
    expect(isTokenText('rbt_0123456789ABCDEFGHIJKLMNOPQRSTUV1ggZdL')).toBe(true)
    expect(isTokenText(`rbt_${'0'.repeat(38)}`)).toBe(false)
  })
})
