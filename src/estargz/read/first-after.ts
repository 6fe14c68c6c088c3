/** Returns the smallest of ascending numbers that is greater than a value; undefined if there is none. */
export function firstAfter(ascending: ArrayLike<number>, value: number): number | undefined {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ascending[middle] ?? 0) > value) high = middle
    else low = middle + 1
  }
  return ascending[low]
}
