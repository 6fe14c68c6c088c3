type TypedArray = Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>

/** Memory was used after its owner released it: a bug of the caller. */
export class ReleasedMemoryError extends Error {
  override readonly name = 'ReleasedMemoryError'
  constructor(owner: string) {
    super(`the ${owner} was used after it was released`)
  }
}

/**
 * Typed arrays of one owner, which returns their memory at once instead of leaving it to the garbage
 * collector: outside its heap, tens of megabytes would stay behind in every thread. Reading {@link arrays}
 * after that throws. Detached arrays would read as empty instead, and lookups in them as misses.
 */
export class OwnedMemory<Arrays extends Readonly<Record<string, TypedArray>>> {
  readonly #owner: string
  #arrays: Arrays | undefined

  /** @param owner names it in errors, for instance "file tree" */
  constructor(owner: string, arrays: Arrays) {
    this.#owner = owner
    this.#arrays = arrays
  }

  /** The arrays. An owner that grows one stores the new array in this object. @throws ReleasedMemoryError */
  get arrays(): Arrays {
    const arrays = this.#arrays
    if (arrays === undefined) throw new ReleasedMemoryError(this.#owner)
    return arrays
  }

  /** Returns the memory. A second call does nothing. */
  release(): void {
    for (const { buffer } of Object.values(this.#arrays ?? {})) buffer.transfer(0)
    this.#arrays = undefined
  }
}

/**
 * Returns an array of twice the length with the same content, in place of the given one, which is detached.
 */
export function doubled<Column extends TypedArray>(column: Column): Column {
  const TypedArrayOf = column.constructor as new (memory: ArrayBuffer) => Column
  return new TypedArrayOf(column.buffer.transfer(2 * column.byteLength))
}
