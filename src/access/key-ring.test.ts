import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { DecryptionError, KEY_BYTES, KeyRing } from './key-ring.ts'

const OLD = randomBytes(KEY_BYTES)
const NEW = randomBytes(KEY_BYTES)

describe('a text that was encrypted', () => {
  const encrypted = new KeyRing([OLD]).encrypt('credentials', 'päss word', 'team-a/registry.example')

  it('is decrypted in the same context only', () => {
    const keys = new KeyRing([OLD])
    expect(keys.decrypt('credentials', encrypted, 'team-a/registry.example')).toBe('päss word')
    expect(() => keys.decrypt('credentials', encrypted, 'team-b/registry.example')).toThrow(DecryptionError)
    expect(() => keys.decrypt('logins', encrypted, 'team-a/registry.example')).toThrow(DecryptionError)
  })

  it('is decrypted with its key while that is listed, wherever in the list', () => {
    expect(new KeyRing([NEW, OLD]).decrypt('credentials', encrypted, 'team-a/registry.example')).toBe(
      'päss word',
    )
    expect(() => new KeyRing([NEW]).decrypt('credentials', encrypted, 'team-a/registry.example')).toThrow(
      /RECORD_BROKER_SECRET_KEY/,
    )
  })

  it('is not decrypted when a bit of it is changed', () => {
    const bytes = Buffer.from(encrypted, 'base64')
    for (const at of [0, 12, bytes.length - 1]) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      const decrypt = () =>
        new KeyRing([OLD]).decrypt('credentials', changed.toString('base64'), 'team-a/registry.example')
      expect(decrypt).toThrow(DecryptionError)
    }
    for (const short of ['', 'AAAA']) {
      expect(() => new KeyRing([OLD]).decrypt('credentials', short, '')).toThrow(DecryptionError)
    }
  })

  it('does not contain the text, and differs each time', () => {
    const again = new KeyRing([OLD]).encrypt('credentials', 'päss word', 'team-a/registry.example')
    expect(again).not.toBe(encrypted)
    expect(Buffer.from(encrypted, 'base64').includes('word')).toBe(false)
  })
})

it('hashes a text with every key, the one for new data first', () => {
  const [hash] = new KeyRing([OLD]).hashes('api-token', 'text')
  const [first, second] = new KeyRing([NEW, OLD]).hashes('api-token', 'text')
  expect(second).toBe(hash)
  expect(first).not.toBe(hash)
  expect(new KeyRing([OLD]).hashes('logins', 'text')[0]).not.toBe(hash)
})

it('refuses keys of another length', () => {
  expect(() => new KeyRing([])).toThrow(RangeError)
  expect(() => new KeyRing([randomBytes(16)])).toThrow(RangeError)
})
