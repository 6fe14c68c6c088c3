/** Loaded before a broker's processes (`node --import`): every thread ends as soon as it is started. */
process.on('worker', (thread) => void thread.terminate())
