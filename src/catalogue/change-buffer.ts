import { formatReference, type Reference } from '../oci/reference.ts'

/** References that are held in memory at most. The scan finds the changes of others. */
const MAX_BUFFERED = 1000

/**
 * Collects changes that the embedded registry reports, and stores them one batch after the other, so that a push
 * neither waits for the database nor fails with it.
 */
export class ChangeBuffer {
  readonly #store: (references: readonly Reference[]) => Promise<void>
  readonly #onError: (error: unknown) => void
  readonly #buffered = new Map<string, Reference>()
  #storing: Promise<void> | undefined

  constructor(store: (references: readonly Reference[]) => Promise<void>, onError: (error: unknown) => void) {
    this.#store = store
    this.#onError = onError
  }

  add(reference: Reference): void {
    if (this.#buffered.size >= MAX_BUFFERED) return
    this.#buffered.set(formatReference(reference), reference)
    this.#storing ??= this.#storeAll().finally(() => {
      this.#storing = undefined
    })
  }

  /** Resolves when everything that was added is stored. */
  async flush(): Promise<void> {
    while (this.#storing) await this.#storing
  }

  async #storeAll(): Promise<void> {
    while (this.#buffered.size > 0) {
      const batch = [...this.#buffered.values()]
      this.#buffered.clear()
      try {
        await this.#store(batch)
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}
