import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import { IssuerUnavailableError } from '../oidc/issuer-unavailable-error.ts'

/** Keys are read again after this time, while they are in use. */
export const KEYS_FRESH_MS = 10 * 60_000
/**
 * Keys that could not be read again for this time are not used any more. An issuer withdraws a key that was stolen
 * by removing it from its set: whoever cuts the broker off from the issuer must not be able to use it for longer.
 */
export const KEYS_MAX_AGE_MS = 60 * 60_000
/** Tokens with unknown keys cause one read in this time: callers choose what their tokens say. */
export const UNKNOWN_KEY_COOLDOWN_MS = 30_000
/** The time between a failed read and the next one. */
export const FAILURE_COOLDOWN_MS = 5_000

export type IssuerKeysOptions = {
  readonly issuer: string
  readonly fetchKeys: () => Promise<JSONWebKeySet>
  /** The time in milliseconds since any moment, by a clock that never goes back. */
  readonly now: () => number
  /** Learns why keys could not be read. */
  readonly onFailure: (error: unknown) => void
}

type Keys = { readonly find: JWTVerifyGetKey; readonly readAt: number }

/** The public keys of an issuer, which it replaces from time to time. */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions
  #keys: Keys | undefined
  #lastAttempt = Number.NEGATIVE_INFINITY
  #lastFailed = false
  #reading: Promise<Keys> | undefined

  constructor(options: IssuerKeysOptions) {
    this.#options = options
  }

  /**
   * Runs an action with the keys, and once more with new ones if they lack the one that it looks for.
   * @returns the result, and for how long the keys may still be used
   * @throws IssuerUnavailableError if there are no usable keys; what the action throws
   */
  async use<Result>(
    action: (find: JWTVerifyGetKey) => Promise<Result>,
  ): Promise<{ readonly result: Result; readonly usableMs: number }> {
    const keys = await this.#usableKeys()
    try {
      return { result: await action(keys.find), usableMs: this.#usableMs(keys) }
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      const newer = await this.#readForUnknownKey(keys)
      if (!newer) throw error
      return { result: await action(newer.find), usableMs: this.#usableMs(newer) }
    }
  }

  async #usableKeys(): Promise<Keys> {
    const keys = this.#keys
    const age = keys ? this.#options.now() - keys.readAt : Number.POSITIVE_INFINITY
    if (!keys || age >= KEYS_MAX_AGE_MS) return this.#read()
    // Nobody waits for new keys while the former ones are usable.
    if (age >= KEYS_FRESH_MS && this.#cooldownMs() <= 0) void this.#read().catch(() => {})
    return keys
  }

  /** Returns keys that were read after `known`, or undefined if the issuer was asked a moment ago. */
  async #readForUnknownKey(known: Keys): Promise<Keys | undefined> {
    if (this.#keys && this.#keys !== known) return this.#keys
    const passed = this.#options.now() - this.#lastAttempt
    if (this.#reading || passed >= UNKNOWN_KEY_COOLDOWN_MS || this.#lastFailed) return this.#read()
    return undefined
  }

  #usableMs({ readAt }: Keys): number {
    return readAt + KEYS_MAX_AGE_MS - this.#options.now()
  }

  #cooldownMs(): number {
    return this.#lastFailed ? this.#lastAttempt + FAILURE_COOLDOWN_MS - this.#options.now() : 0
  }

  /** Reads the keys. Callers share one read. @throws IssuerUnavailableError */
  #read(): Promise<Keys> {
    if (this.#reading) return this.#reading
    const wait = this.#cooldownMs()
    const { issuer } = this.#options
    if (wait > 0) return Promise.reject(new IssuerUnavailableError(issuer, wait))
    this.#reading = this.#readNow().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readNow(): Promise<Keys> {
    const { issuer, fetchKeys, now, onFailure } = this.#options
    this.#lastAttempt = now()
    try {
      const keys = { find: createLocalJWKSet(await fetchKeys()), readAt: now() }
      this.#keys = keys
      this.#lastFailed = false
      return keys
    } catch (error) {
      this.#lastFailed = true
      onFailure(error)
      throw new IssuerUnavailableError(issuer, FAILURE_COOLDOWN_MS, { cause: error })
    } finally {
      this.#lastAttempt = now()
    }
  }
}
