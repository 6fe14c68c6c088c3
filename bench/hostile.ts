/**
 * `npm run bench:hostile` measures how a broker copes with requests that are costly on purpose. For each
 * case, it prints the longest response time of `/healthz`, the duration and the result of the case, and the
 * peak memory of the server and of its largest child process. Each case has a new broker. `-- --only
 * 'NAME;NAME'` selects the cases whose name contains one of the given texts.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { RegistryClient } from '../src/registry/client.ts'
import { BrokerProcess } from '../test/support/broker-process.ts'
import { HOSTILE_CASES, type HostileCase } from './hostile/cases.ts'
import { HostileBench, TAG } from './hostile/hostile-bench.ts'
import { BenchRegistry } from './registries.ts'

const PROBE = fileURLToPath(new URL('./hostile/health-probe.ts', import.meta.url))
const MEMORY_INTERVAL_MS = 50

/** Peak memory in MiB. */
type PeakMemory = { readonly server: number; readonly largestChild: number }

/** Runs an action while the probe requests `/healthz`. Returns the longest response time in ms. */
async function runWithProbe<T>(
  url: string,
  action: () => Promise<T>,
): Promise<{ result: T; longestMs: number }> {
  const probe = spawn(process.execPath, [PROBE, url], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: probe.stdout })[Symbol.asyncIterator]()
  await lines.next()
  const result = await action()
  probe.stdin.end()
  const { value = '{}' } = await lines.next()
  const { longest } = JSON.parse(value) as { longest: number | null }
  // JSON has no infinity: null is a request without a response.
  return { result, longestMs: longest ?? Number.POSITIVE_INFINITY }
}

async function readPeakMemory(pid: number): Promise<PeakMemory> {
  const readPeak = async (id: number) => {
    const status = await readFile(`/proc/${id}/status`, 'latin1').catch(() => '')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024
  }
  const children = new Set<number>()
  for (const thread of await readdir(`/proc/${pid}/task`).catch(() => [])) {
    const list = await readFile(`/proc/${pid}/task/${thread}/children`, 'latin1').catch(() => '')
    for (const child of list.split(' ').filter(Boolean)) children.add(Number(child))
  }
  const childPeaks = await Promise.all([...children].map(readPeak))
  return { server: await readPeak(pid), largestChild: Math.max(0, ...childPeaks) }
}

/** Runs an action, and returns the peak memory of a process and of its children meanwhile. */
async function monitorMemory<T>(
  pid: number,
  action: () => Promise<T>,
): Promise<{ result: T; peak: PeakMemory }> {
  let peak: PeakMemory = { server: 0, largestChild: 0 }
  const timer = setInterval(async () => {
    const { server, largestChild } = await readPeakMemory(pid)
    peak = {
      server: Math.max(peak.server, server),
      largestChild: Math.max(peak.largestChild, largestChild),
    }
  }, MEMORY_INTERVAL_MS)
  try {
    const result = await action()
    return { result, peak }
  } finally {
    clearInterval(timer)
  }
}

function printLine(name: string, cells: readonly string[], result: string): void {
  const [health = '', ...others] = cells
  const columns = [health.padStart(12), ...others.map((cell) => cell.padStart(10))]
  process.stdout.write(`${name.padEnd(44)}${columns.join('')}  ${result}\n`)
}

async function runCase(name: string, hostileCase: HostileCase, registry: BenchRegistry): Promise<void> {
  const { images = {}, settings, prepare, run } = hostileCase
  await using client = new RegistryClient({ plainHttp: [registry.host] })
  for (const [image, push] of Object.entries(images)) {
    const repository = client.repository({ host: registry.host, repository: image })
    if ((await repository.resolve(TAG)) === undefined) await push(repository)
  }
  const folder = await mkdtemp(join(tmpdir(), 'record-broker-hostile-'))
  try {
    await using broker = await BrokerProcess.start(join(folder, 'data'), {
      RECORD_BROKER_REGISTRIES: registry.host,
      RECORD_BROKER_PLAIN_HTTP: registry.host,
      LOG_LEVEL: 'info',
      ...settings,
    })
    const bench = new HostileBench(broker, registry.host)
    const prepared = await prepare?.(bench)
    const startedAt = performance.now()
    const { result: probed, peak } = await monitorMemory(broker.pid ?? 0, () =>
      runWithProbe(broker.url, () => run(bench, prepared as never)),
    )
    const seconds = (performance.now() - startedAt) / 1000
    const cells = [
      `${probed.longestMs.toFixed(0)} ms`,
      `${seconds.toFixed(1)} s`,
      `${peak.server.toFixed(0)} MiB`,
      `${peak.largestChild.toFixed(0)} MiB`,
    ]
    printLine(name, cells, probed.result)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const selected = values.only?.split(';')
await using registry = await BenchRegistry.start()
printLine('case', ['/healthz', 'total', 'serve', 'child'], 'result')
for (const [name, hostileCase] of Object.entries(HOSTILE_CASES)) {
  if (selected && !selected.some((part) => name.includes(part))) continue
  await runCase(name, hostileCase, registry).catch((error: unknown) => printLine(name, [], String(error)))
}
