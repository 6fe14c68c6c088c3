/** Writes bytes in order. The producer awaits it, so that a slow destination slows the producer down. */
export type WriteBytes = (bytes: Buffer) => Promise<void> | void
