// Loaded before a program (--import): writes what the whole process used, threads included, when it ends.
import { writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
    const used = { cpu: (userCPUTime + systemCPUTime) / 1e6, rss: maxRSS * 1024 }
    writeFileSync(process.env.BENCH_USAGE, JSON.stringify(used))
  })
}
