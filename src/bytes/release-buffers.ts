/**
 * Returns the memory of large buffers at once. The garbage collector would leave tens of megabytes behind in
 * every thread before it runs.
 * @param buffers without another view of their memory; they are empty afterwards. Small buffers in Node's
 *   pool and buffers in shared memory are left alone
 */
export function releaseBuffers(...buffers: readonly Buffer[]): void {
  for (const { buffer, byteLength } of buffers) {
    if (!(buffer instanceof ArrayBuffer)) continue
    if (buffer.byteLength === byteLength || buffer.byteLength > 2 * Buffer.poolSize) buffer.transfer(0)
  }
}
