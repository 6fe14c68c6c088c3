/**
 * Reads the first bytes of a source without consuming them.
 * @param minBytes of the head, which is shorter only if the source is
 * @returns the head, and all bytes of the source, the head included
 * @throws what the source throws
 */
export async function peekHead(
  source: AsyncIterable<Uint8Array>,
  minBytes: number,
): Promise<{ readonly head: Buffer; readonly bytes: AsyncIterable<Uint8Array> }> {
  const pieces = source[Symbol.asyncIterator]()
  const headChunks: Uint8Array[] = []
  let length = 0
  while (length < minBytes) {
    const next = await pieces.next()
    if (next.done) break
    headChunks.push(next.value)
    length += next.value.length
  }
  const head = Buffer.concat(headChunks)
  const bytes = (async function* () {
    if (head.length > 0) yield head
    yield* { [Symbol.asyncIterator]: () => pieces }
  })()
  return { head, bytes }
}
