/** The number of concurrent clients. */
export const CLIENTS = 16

/** Requests per second, and latencies in milliseconds. */
export type Load = { readonly perSecond: number; readonly median: number; readonly p99: number }

/** Sends requests from all clients, each of which waits for its response. */
export async function load(count: number, request: (n: number) => Promise<void>): Promise<Load> {
  const latencies: number[] = []
  let next = 0
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (let n = next++; n < count; n = next++) {
        const requestedAt = performance.now()
        await request(n)
        latencies.push(performance.now() - requestedAt)
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  latencies.sort((a, b) => a - b)
  const percentile = (p: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * p))] ?? 0
  return { perSecond: count / seconds, median: percentile(0.5), p99: percentile(0.99) }
}

/** Targets of listings, counts and series with all clients, in milliseconds. */
const TARGET = { median: 50, p99: 200 }

/** Prints a row, and whether it misses the targets if it has any. */
export function print(
  engine: string,
  action: string,
  { perSecond, median, p99 }: Load,
  hasTarget = false,
): void {
  const cells = [`${perSecond.toFixed(0)}/s`, `median ${median.toFixed(1)} ms`, `p99 ${p99.toFixed(1)} ms`]
  const isMissed = hasTarget && (median > TARGET.median || p99 > TARGET.p99)
  process.stdout.write(
    `${engine.padEnd(10)}${action.padEnd(58)}${cells.map((cell) => cell.padEnd(19)).join('')}${isMissed ? 'MISSED' : ''}\n`,
  )
}
