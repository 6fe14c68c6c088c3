/**
 * Preloaded into the broker's processes (`node --import`): terminates every thread as soon as it is started.
 */
process.on('worker', (thread) => void thread.terminate())
