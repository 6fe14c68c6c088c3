/** Stands in for a worker: shows that it lives for a while, and then stands still without an end. */
process.once('disconnect', () => process.exit())
process.on('SIGTERM', () => process.exit())

let beats = 0
setInterval(() => {
  process.send?.('alive')
  beats += 1
  if (process.argv[2] === 'stuck' && beats > 5) for (;;);
}, 10)
