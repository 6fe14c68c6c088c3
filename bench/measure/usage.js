// Loaded before a program (--import): writes what the whole process used, threads included, when it ends. The peak
// is the kernel's VmHWM: getrusage's counts that of the process which started this one, too.
import { readFileSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  process.on('exit', () => {
    const rss = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))[1]) * 1024
    const written = Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))[1])
    writeFileSync(process.env.BENCH_USAGE, JSON.stringify({ rss, written }))
  })
}
