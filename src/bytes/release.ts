/**
 * Gives the memory of large buffers back at once. The collector would leave tens of megabytes of them behind in every thread
 * before it takes the trouble.
 * @param buffers that nobody else has a view of: they are empty afterwards. Those that are part of larger memory, such as
 *   the pool, and those in memory that threads share are left alone
 */
export function release(...buffers: readonly Buffer[]): void {
  for (const { buffer, byteLength } of buffers) {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
  }
}
