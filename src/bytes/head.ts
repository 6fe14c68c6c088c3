/**
 * Looks at how bytes begin, and takes nothing from whoever reads them.
 * @param least how many bytes the head has, or more; fewer when there are no more
 * @returns the head, and all bytes with it
 * @throws what the source throws
 */
export async function peekHead(
  source: AsyncIterable<Uint8Array>,
  least: number,
): Promise<{ readonly head: Buffer; readonly bytes: AsyncIterable<Uint8Array> }> {
  const pieces = source[Symbol.asyncIterator]()
  const held: Uint8Array[] = []
  let length = 0
  while (length < least) {
    const next = await pieces.next()
    if (next.done) break
    held.push(next.value)
    length += next.value.length
  }
  const head = Buffer.concat(held)
  const bytes = (async function* () {
    if (head.length > 0) yield head
    yield* { [Symbol.asyncIterator]: () => pieces }
  })()
  return { head, bytes }
}
