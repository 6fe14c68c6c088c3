/** What a room takes from: the bytes that a project stores and has reserved, and its limit. */
type Account = {
  /** @throws DistributionError DENIED if the project may not store this many bytes more */
  check(bytes: number): void
  /** Adds bytes to those that requests have reserved, or takes them back. */
  addReserved(bytes: number): void
}

/**
 * The bytes that one request has reserved in the quota of its project, so that requests at the same time cannot all
 * see the same free space: who comes first gets it. A request disposes of its room at its end. Checking and
 * reserving is one step, without anything asynchronous between.
 */
export class Room implements Disposable {
  readonly #account: Account
  #reserved = 0

  constructor(account: Account) {
    this.#account = account
  }

  /** Reserves bytes that will be stored. @throws DistributionError DENIED, and reserves nothing */
  reserve(bytes: number): void {
    this.#account.check(bytes)
    this.#add(bytes)
  }

  /**
   * Takes bytes that the caller counts as stored in the same step: from those that are reserved, and beyond these from
   * what is free.
   * @throws DistributionError DENIED, and takes nothing
   */
  take(bytes: number): void {
    const reserved = Math.min(bytes, this.#reserved)
    if (bytes > reserved) this.#account.check(bytes - reserved)
    this.#add(-reserved)
  }

  /** Gives reserved bytes back: they are counted as stored now, or will not be stored. */
  release(bytes: number): void {
    this.#add(-Math.min(bytes, this.#reserved))
  }

  [Symbol.dispose](): void {
    this.release(this.#reserved)
  }

  #add(bytes: number): void {
    this.#reserved += bytes
    this.#account.addReserved(bytes)
  }
}
