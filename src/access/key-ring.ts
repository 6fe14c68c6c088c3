import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/** The number of bytes of a key. */
export const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** A text was encrypted with a key that is no longer configured, or it is damaged. */
export class DecryptionError extends Error {
  override readonly name = 'DecryptionError'
}

/**
 * The secret keys of the settings, from which a key for each purpose is derived (HKDF, RFC 5869). The first key is
 * used for everything new; the others still verify and decrypt what was written before a rotation.
 */
export class KeyRing {
  readonly #keys: readonly Buffer[]
  readonly #derived = new Map<string, [Buffer, ...Buffer[]]>()

  /** @param keys at least one, of {@link KEY_BYTES} bytes */
  constructor(keys: readonly Buffer[]) {
    if (keys.length === 0 || keys.some(({ length }) => length !== KEY_BYTES))
      throw new RangeError(`expected keys of ${KEY_BYTES} bytes`)
    this.#keys = keys
  }

  /** Returns the keys of a purpose: the one for new data first. */
  derived(purpose: string): [Buffer, ...Buffer[]] {
    const known = this.#derived.get(purpose)
    if (known) return known
    const [first, ...others] = this.#keys.map((key) => derive(key, purpose))
    if (!first) throw new RangeError('a key ring has at least one key')
    const derived: [Buffer, ...Buffer[]] = [first, ...others]
    this.#derived.set(purpose, derived)
    return derived
  }

  /** Returns keyed hashes (HMAC-SHA-256, in hex) of a text, by the key for new data first. */
  hashes(purpose: string, text: string): [string, ...string[]] {
    const [first, ...others] = this.derived(purpose).map((key) =>
      createHmac('sha256', key).update(text).digest('hex'),
    )
    return [first ?? '', ...others]
  }

  /**
   * Encrypts a text with AES-256-GCM.
   * @param context what the text belongs to: decryption with another context fails
   * @returns nonce, ciphertext and tag in base64
   */
  encrypt(purpose: string, text: string, context: string): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.derived(purpose)[0], nonce)
    cipher.setAAD(Buffer.from(context))
    const parts = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
    return Buffer.concat(parts).toString('base64')
  }

  /** @throws DecryptionError */
  decrypt(purpose: string, encrypted: string, context: string): string {
    const bytes = Buffer.from(encrypted, 'base64')
    for (const key of this.derived(purpose)) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES,
        })
        decipher.setAAD(Buffer.from(context))
        decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
        const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES))
        return Buffer.concat([text, decipher.final()]).toString('utf8')
      } catch {
        // Another key may fit.
      }
    }
    throw new DecryptionError(
      'no key of RECORD_BROKER_SECRET_KEY decrypts this; add the key that encrypted it',
    )
  }
}

function derive(key: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `record-broker ${purpose}`, KEY_BYTES))
}
