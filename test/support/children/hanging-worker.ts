/**
 * A worker process that sends signs of life for a while. With the argument `stuck`, it then blocks its event
 * loop forever.
 */
process.once('disconnect', () => process.exit())
process.on('SIGTERM', () => process.exit())

let heartbeats = 0
setInterval(() => {
  process.send?.('alive')
  heartbeats += 1
  if (process.argv[2] === 'stuck' && heartbeats > 5) for (;;);
}, 10)
