/** The array behind a column of numbers. */
export type ColumnArray = Uint8Array | Uint32Array | Float64Array

type ColumnArrayType<Rows extends ColumnArray> = {
  new (memory: ArrayBuffer | SharedArrayBuffer): Rows
  readonly BYTES_PER_ELEMENT: number
}

const INITIAL_CAPACITY = 64

/** A growable column of numbers. */
export class Column<Rows extends ColumnArray> {
  readonly #arrayType: ColumnArrayType<Rows>
  #memory: ArrayBuffer
  #rows: Rows
  #length = 0

  constructor(arrayType: ColumnArrayType<Rows>) {
    this.#arrayType = arrayType
    this.#memory = new ArrayBuffer(INITIAL_CAPACITY * arrayType.BYTES_PER_ELEMENT)
    this.#rows = new arrayType(this.#memory)
  }

  get length(): number {
    return this.#length
  }

  push(value: number): void {
    if (this.#length === this.#rows.length) this.#grow(1)
    this.#rows[this.#length++] = value
  }

  append(values: ArrayLike<number>): void {
    if (this.#length + values.length > this.#rows.length) this.#grow(values.length)
    this.#rows.set(values, this.#length)
    this.#length += values.length
  }

  /** @throws RangeError if there is no such row */
  at(row: number): number {
    const value = row < this.#length ? this.#rows[row] : undefined
    if (value === undefined) throw new RangeError(`a column of ${this.#length} rows has no row ${row}`)
    return value
  }

  /** Returns a view of some rows. It is valid until rows are added. */
  rows(start: number, end: number): Rows {
    return this.#rows.subarray(start, Math.min(end, this.#length)) as Rows
  }

  /** Overwrites an existing row. */
  set(row: number, value: number): void {
    this.#rows[row] = value
  }

  /**
   * Moves the rows into shared memory of exactly their size, which threads read without copying. Empties the
   * column.
   */
  finish(): Rows {
    const rows = newSharedColumn(this.#arrayType, this.#length)
    rows.set(this.#rows.subarray(0, this.#length))
    this.#resize(0)
    this.#length = 0
    return rows
  }

  #grow(additionalRows: number): void {
    this.#resize(Math.max(2 * this.#rows.length, this.#length + additionalRows))
  }

  /** Transfers the memory, which frees the old block at once instead of at the next garbage collection. */
  #resize(rows: number): void {
    this.#memory = this.#memory.transfer(rows * this.#arrayType.BYTES_PER_ELEMENT)
    this.#rows = new this.#arrayType(this.#memory)
  }
}

/** Allocates rows of zeros in shared memory. */
export function newSharedColumn<Rows extends ColumnArray>(
  arrayType: ColumnArrayType<Rows>,
  length: number,
): Rows {
  return new arrayType(new SharedArrayBuffer(length * arrayType.BYTES_PER_ELEMENT))
}

/** Returns a column's bytes as a buffer over the same memory. */
export function columnBytes({ buffer, byteOffset, byteLength }: ColumnArray): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
}
