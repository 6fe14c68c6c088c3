/** What a cleanup stack closes. */
type Closable = AsyncDisposable | Disposable

/**
 * Closes what a process has opened, in reverse order. The language's own `AsyncDisposableStack` does the same,
 * but Node 22 does not have it.
 */
export class CleanupStack {
  readonly #actions: (() => unknown)[] = []

  /** Closes a resource at the end. Returns the resource. */
  use<Resource extends Closable>(resource: Resource): Resource {
    this.defer(() =>
      Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : resource[Symbol.dispose](),
    )
    return resource
  }

  /** Runs an action at the end, before those that were deferred earlier. */
  defer(action: () => unknown): void {
    this.#actions.push(action)
  }

  /**
   * Runs all actions one after the other, the last one first, even if some fail.
   * @throws the error of the only failed action; AggregateError if several failed
   */
  async closeAll(): Promise<void> {
    const errors: unknown[] = []
    for (let action = this.#actions.pop(); action !== undefined; action = this.#actions.pop()) {
      try {
        await action()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length === 1) throw errors[0]
    if (errors.length > 1) throw new AggregateError(errors, 'several cleanup actions failed')
  }
}
