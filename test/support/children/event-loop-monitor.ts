/**
 * Preloaded into a process (`node --import`). On SIGWINCH, it prints the longest iteration of the main
 * thread's event loop since the last SIGWINCH, in milliseconds of CPU time. An iteration is the time between
 * two runs of a 1 ms timer, so no task is longer than the longest iteration. CPU time does not depend on the
 * load of the machine.
 */
const ROLE = 'serve'

if (process.argv.includes(ROLE)) {
  let longestMs = 0
  let usageBefore = process.threadCpuUsage()
  const sample = () => {
    const { user, system } = process.threadCpuUsage(usageBefore)
    usageBefore = process.threadCpuUsage()
    longestMs = Math.max(longestMs, (user + system) / 1000)
    setTimeout(sample, 1)
  }
  process.on('SIGWINCH', () => {
    process.stdout.write(`${JSON.stringify({ msg: 'longest iteration', ms: longestMs })}\n`)
    longestMs = 0
  })
  sample()
}
