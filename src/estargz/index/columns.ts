/** A column of numbers. */
export type Numbers = Uint8Array | Uint32Array | Float64Array

type Make<Rows extends Numbers> = {
  new (memory: ArrayBuffer | SharedArrayBuffer): Rows
  readonly BYTES_PER_ELEMENT: number
}

const FIRST_ROWS = 64

/** A column that grows. */
export class Column<Rows extends Numbers> {
  readonly #make: Make<Rows>
  #memory: ArrayBuffer
  #rows: Rows
  #length = 0

  constructor(make: Make<Rows>) {
    this.#make = make
    this.#memory = new ArrayBuffer(FIRST_ROWS * make.BYTES_PER_ELEMENT)
    this.#rows = new make(this.#memory)
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

  /** @throws RangeError where there is no such row */
  at(row: number): number {
    const value = row < this.#length ? this.#rows[row] : undefined
    if (value === undefined) throw new RangeError(`a column of ${this.#length} rows has no row ${row}`)
    return value
  }

  /** A view of rows, valid until more are added. */
  rows(start: number, end: number): Rows {
    return this.#rows.subarray(start, Math.min(end, this.#length)) as Rows
  }

  /** Changes a row that is there. */
  set(row: number, value: number): void {
    this.#rows[row] = value
  }

  /** The rows in shared memory of just their size: threads see it without copies. The column is empty afterwards. */
  finish(): Rows {
    const rows = newRows(this.#make, this.#length)
    rows.set(this.#rows.subarray(0, this.#length))
    this.#resize(0)
    this.#length = 0
    return rows
  }

  #grow(by: number): void {
    this.#resize(Math.max(2 * this.#rows.length, this.#length + by))
  }

  /** Moves the memory: what it was would else stay until the collector comes by. */
  #resize(rows: number): void {
    this.#memory = this.#memory.transfer(rows * this.#make.BYTES_PER_ELEMENT)
    this.#rows = new this.#make(this.#memory)
  }
}

/** Rows of zeros in shared memory. */
export function newRows<Rows extends Numbers>(make: Make<Rows>, length: number): Rows {
  return new make(new SharedArrayBuffer(length * make.BYTES_PER_ELEMENT))
}
