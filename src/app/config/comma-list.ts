/** Returns the parts of a list that commas separate, without the space around them and without empty ones. */
export function partsOf(list: string): string[] {
  return list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
