/**
 * Gives the memory of large buffers back at once. The collector would leave tens of megabytes of them behind in every thread
 * before it takes the trouble.
 * @param buffers with memory that nobody else has a view of: they are empty afterwards. Small ones in a pool, and those in
 *   memory that threads share are left alone
 */
export function release(...buffers: readonly Buffer[]): void {
  for (const { buffer, byteLength } of buffers) {
    if (!(buffer instanceof ArrayBuffer)) continue
    if (buffer.byteLength === byteLength || buffer.byteLength > 2 * Buffer.poolSize) buffer.transfer(0)
  }
}
