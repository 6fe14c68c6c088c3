/**
 * Loaded before a process (`--import`): prints, when it is asked by SIGWINCH, how many milliseconds of processor time the longest turn
 * of its main thread's event loop took since it was asked last. A turn is everything between two looks of a timer, so
 * that no task is longer than the longest turn. Processor time does not grow with what else the machine does.
 */
const ROLE = 'serve'

if (process.argv.includes(ROLE)) {
  let longest = 0
  let before = process.threadCpuUsage()
  const look = () => {
    const { user, system } = process.threadCpuUsage(before)
    before = process.threadCpuUsage()
    longest = Math.max(longest, (user + system) / 1000)
    setTimeout(look, 1)
  }
  process.on('SIGWINCH', () => {
    process.stdout.write(`${JSON.stringify({ msg: 'longest turn', ms: longest })}\n`)
    longest = 0
  })
  look()
}
