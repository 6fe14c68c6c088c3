// Preloaded into a Node program (`node --import`): when the program exits, it writes the resource usage of
// the whole process to the file in BENCH_USAGE. The peak memory is VmHWM of the kernel, as getrusage also
// counts the parent process.
import { readFileSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  process.on('exit', () => {
    const rss = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))[1]) * 1024
    const written = Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))[1])
    writeFileSync(process.env.BENCH_USAGE, JSON.stringify({ rss, written }))
  })
}
