/**
 * Asks `/healthz` of a broker again and again, from a process of its own, until its input ends. Then it prints the
 * longest and the median wait, in milliseconds.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'

const PAUSE_MS = 5

const [, , url = ''] = process.argv
const agent = new Agent({ connections: 1, headersTimeout: 300_000, bodyTimeout: 300_000 })
const waits: number[] = []
let over = false
process.stdin.once('end', () => {
  over = true
})
process.stdin.resume()
await ask()
// The first answer opens the connection, and tells the bench that the probe runs.
process.stdout.write('ready\n')
while (!over) {
  waits.push(await ask())
  await delay(PAUSE_MS)
}
waits.sort((a, b) => a - b)
const longest = waits.at(-1) ?? 0
const median = waits[Math.floor(waits.length / 2)] ?? 0
process.stdout.write(`${JSON.stringify({ longest, median, count: waits.length })}\n`)
await agent.destroy()

/** A broker that is gone counts as a wait without end. */
async function ask(): Promise<number> {
  const startedAt = performance.now()
  try {
    const { body } = await request(new URL('/healthz', url), { dispatcher: agent })
    await body.dump()
  } catch {
    return Number.POSITIVE_INFINITY
  }
  return performance.now() - startedAt
}
