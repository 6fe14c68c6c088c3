/**
 * Requests `/healthz` of a broker repeatedly until standard input ends. Then it prints the longest and the
 * median response time in milliseconds. It runs in a process of its own, so that the load of the benchmark
 * does not affect it.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'

const PAUSE_MS = 5

const [, , url = ''] = process.argv
const agent = new Agent({ connections: 1, headersTimeout: 300_000, bodyTimeout: 300_000 })
const responseTimes: number[] = []
let isDone = false
process.stdin.once('end', () => {
  isDone = true
})
process.stdin.resume()
// The first request, which is not measured, opens the connection.
await requestHealth()
process.stdout.write('ready\n')
while (!isDone) {
  responseTimes.push(await requestHealth())
  await delay(PAUSE_MS)
}
responseTimes.sort((a, b) => a - b)
const longest = responseTimes.at(-1) ?? 0
const median = responseTimes[Math.floor(responseTimes.length / 2)] ?? 0
process.stdout.write(`${JSON.stringify({ longest, median, count: responseTimes.length })}\n`)
await agent.destroy()

/** Returns the response time, which is infinite if there is no response. */
async function requestHealth(): Promise<number> {
  const startedAt = performance.now()
  try {
    const { body } = await request(new URL('/healthz', url), { dispatcher: agent })
    await body.dump()
  } catch {
    return Number.POSITIVE_INFINITY
  }
  return performance.now() - startedAt
}
