/**
 * `npm run bench:hostile`: what input that is made to cost much does to a broker. For each case: the longest wait of
 * `/healthz` meanwhile, how long the case took and what it was answered, and the peak memory of the server and of the
 * largest process it started. Each case has a broker of its own. `-- --only 'NAME;NAME'` runs those alone whose names hold one of these.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { RegistryClient } from '../src/registry/client.ts'
import type { Repository } from '../src/registry/repository.ts'
import { BrokerProcess } from '../test/support/broker-process.ts'
import * as images from '../test/support/images/hostile-images.ts'
import { COSTLY_GLOBS, manyGlobs } from './hostile/globs.ts'
import { BenchRegistry } from './registries.ts'

const PROBE = fileURLToPath(new URL('./hostile/health-probe.ts', import.meta.url))
/** A case that takes longer is given up. */
const CASE_MS = 180_000
const TAG = 'a'

type Answer = { readonly status: number; readonly body: Record<string, unknown> }

/** What a case acts on: a broker of its own, and images that are pushed before it starts. */
class Bench {
  readonly broker: BrokerProcess
  readonly #registry: string

  constructor(broker: BrokerProcess, registry: string) {
    this.broker = broker
    this.#registry = registry
  }

  image(name: string): string {
    return `${this.#registry}/${name}:${TAG}`
  }

  async ask(method: string, path: string, body?: object | string): Promise<Answer> {
    const type = typeof body === 'string' ? 'text/plain' : 'application/json'
    try {
      const answer = await fetch(new URL(path, this.broker.url), {
        method,
        signal: AbortSignal.timeout(CASE_MS),
        ...(body !== undefined && { headers: { 'content-type': type } }),
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      return { status: answer.status, body: (await answer.json()) as Answer['body'] }
    } catch (error) {
      const { message, cause } = error as Error
      return { status: 0, body: { code: `${message} ${cause instanceof Error ? cause.message : ''}` } }
    }
  }

  async upload(text: string): Promise<string> {
    return String((await this.ask('POST', '/v1/records', text)).body.id)
  }

  evaluate(record: string, image: string): Promise<Answer> {
    return this.ask('POST', `/v1/records/${record}/evaluations`, { image: this.image(image) })
  }

  async convert(image: string, more: object = {}): Promise<string> {
    const target = this.image(`${image}-out-${Math.random().toString(36).slice(2)}`)
    const answer = await this.ask('POST', '/v1/conversions', { source: this.image(image), target, ...more })
    return String(answer.body.id)
  }

  /** The conversion when it is over, or when the case is given up. */
  async over(id: string): Promise<Answer> {
    const giveUpAt = performance.now() + CASE_MS
    for (;;) {
      const answer = await this.ask('GET', `/v1/conversions/${id}`)
      const isOver = !['queued', 'running'].includes(String(answer.body.state))
      if (isOver || performance.now() > giveUpAt) return answer
      await delay(20)
    }
  }
}

type Case = {
  /** Pushes what the case needs; the same names are pushed once. */
  readonly images?: Readonly<Record<string, (repository: Repository) => Promise<void>>>
  readonly settings?: Record<string, string>
  /** What comes before the measurement. Its result is given to `act`. */
  readonly prepare?: (bench: Bench) => Promise<unknown>
  /** Says how it ended, in a few words. */
  readonly act: (bench: Bench, prepared: never) => Promise<string>
}

const few = { files20k: (repository: Repository) => images.pushFiles(repository, TAG, 20_000) }
const many = { files300k: (repository: Repository) => images.pushFiles(repository, TAG, 300_000) }
const told = ({ status, body }: Answer) => `${status} ${body.code ?? body.state ?? ''}`.trim()
const ended = ({ body }: Answer) =>
  `${body.state} ${(body.error as { code?: string } | undefined)?.code ?? ''}`

const inspected = (name: string, push: (repository: Repository) => Promise<void>): Case => ({
  images: { [name]: push },
  act: async (bench) => told(await bench.ask('GET', `/v1/images/${bench.image(name)}`)),
})
const converted = (name: string, push: (repository: Repository) => Promise<void>): Case => ({
  images: { [name]: push },
  act: async (bench) => ended(await bench.over(await bench.convert(name))),
})
const evaluated = (globs: () => Promise<string>, pushed: Case['images'], image: string): Case => ({
  ...(pushed && { images: pushed }),
  prepare: async (bench) => {
    // The layers are listed by this one, so that the globs alone are measured.
    await bench.evaluate(await bench.upload('/usr/lib/python3\n'), image)
    return bench.upload(await globs())
  },
  act: async (bench, record: string) => told(await bench.evaluate(record, image)),
})
const largeRecord = (first: number, count: number) =>
  Array.from({ length: count }, (_, n) => `/usr/lib/x/file-${first + n}\n`).join('')

const CASES: Readonly<Record<string, Case>> = {
  'tocbomb 100,000': inspected('toc100k', (one) => images.pushTocBomb(one, TAG, 100_000)),
  'tocbomb 1,000,000': inspected('toc1m', (one) => images.pushTocBomb(one, TAG, 1_000_000)),
  'tocbomb 15,000,000': inspected('toc15m', (one) => images.pushTocBomb(one, TAG, 15_000_000)),
  'globs ordinary': evaluated(async () => COSTLY_GLOBS.ordinary, few, 'files20k'),
  'globs braces': evaluated(async () => COSTLY_GLOBS.braces, few, 'files20k'),
  'globs segments': evaluated(async () => COSTLY_GLOBS.segments, few, 'files20k'),
  '1,000 globs, 300,000 files': evaluated(manyGlobs, many, 'files300k'),
  'first evaluation, 300,000 files': {
    images: many,
    prepare: (bench) => bench.upload('/usr/lib/python3\n'),
    act: async (bench, record: string) => told(await bench.evaluate(record, 'files300k')),
  },
  '20 evaluations at once': {
    images: few,
    prepare: (bench) => bench.upload('/usr/**/*7.py\n'),
    act: async (bench, record: string) => {
      const all = await Promise.all(Array.from({ length: 20 }, () => bench.evaluate(record, 'files20k')))
      return [...new Set(all.map(told))].join(', ')
    },
  },
  'upload of 16 MB': {
    act: async (bench) => told(await bench.ask('POST', '/v1/records', largeRecord(0, 499_999))),
  },
  'merge of 10 records of 100,000': {
    prepare: async (bench) => {
      const ids: string[] = []
      for (let n = 0; n < 10; n++) ids.push(await bench.upload(largeRecord(n * 1000, 100_000)))
      return ids
    },
    act: async (bench, records: string[]) =>
      told(await bench.ask('POST', '/v1/records/merges', { records, strategy: 'union' })),
  },
  'difference of two records of 400,000': {
    prepare: async (bench) => [
      await bench.upload(largeRecord(0, 400_000)),
      await bench.upload(largeRecord(200_000, 400_000)),
    ],
    act: async (bench, [a, b]: string[]) => told(await bench.ask('GET', `/v1/records/${a}/diff/${b}`)),
  },
  'zstd window of 2^28': converted('long28', (one) => images.pushLongWindow(one, TAG)),
  'zstd, wrong checksum': converted('badsum', (one) => images.pushBadChecksum(one, TAG)),
  'config 100,000 deep': inspected('deep', (one) => images.pushDeepConfig(one, TAG)),
  '10,000 layers': inspected('layers', (one) => images.pushManyLayers(one, TAG, 10_000)),
  'cancel a busy conversion': {
    images: { large: (one) => images.pushLargeFile(one, TAG, 600) },
    settings: { RECORD_BROKER_THREADS: '1', RECORD_BROKER_CONCURRENCY: '2' },
    prepare: async (bench) => {
      const options = { compression: 'recompress', compressionLevel: 9 }
      const ids = [await bench.convert('large', { options }), await bench.convert('large', {})]
      for (const id of ids)
        while ((await bench.ask('GET', `/v1/conversions/${id}`)).body.state === 'queued') await delay(20)
      await delay(1000)
      return ids
    },
    // The second one waits for the only thread.
    act: async (bench, ids: string[]) => {
      const id = ids[1] ?? ''
      await bench.ask('POST', `/v1/conversions/${id}/cancel`)
      return ended(await bench.over(id))
    },
  },
  'refused upload of 100 MB': {
    act: (bench) => refusedUpload(new URL(bench.broker.url)),
  },
}

/** Sends a record whose first line is wrong. Answers how long the connection stood still after the answer. */
function refusedUpload({ hostname, port }: URL): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: hostname, port: Number(port) })
    const piece = Buffer.alloc(65_536, 'a')
    let left = 100_000_000
    let movedAt = performance.now()
    let answer = ''
    const over = () => {
      clearInterval(watch)
      socket.destroy()
      resolve(
        `${answer.slice(9, 12)}, stood still for ${((performance.now() - movedAt) / 1000).toFixed(1)} s`,
      )
    }
    const watch = setInterval(() => performance.now() - movedAt > 25_000 && over(), 100)
    const send = () => {
      while (left > 0) {
        left -= piece.length
        movedAt = performance.now()
        if (!socket.write(piece)) return
      }
      over()
    }
    socket.on('data', (bytes) => {
      answer ||= bytes.toString('latin1')
    })
    socket.on('drain', send).on('error', over).on('close', over)
    socket.write(
      `POST /v1/records HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: text/plain\r\nContent-Length: 100000000\r\n\r\n7 openat(AT_FDCWD, "/`,
    )
    send()
  })
}

/** Runs `act` while the probe asks. */
async function probed<T>(url: string, act: () => Promise<T>): Promise<{ result: T; longest: number }> {
  const probe = spawn(process.execPath, [PROBE, url], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: probe.stdout })[Symbol.asyncIterator]()
  await lines.next()
  const result = await act()
  probe.stdin.end()
  const { value = '{}' } = await lines.next()
  return {
    result,
    longest: (JSON.parse(value) as { longest: number | null }).longest ?? Number.POSITIVE_INFINITY,
  }
}

/** Peak memory in MiB of a process, and the largest peak among those it started. */
async function peaks(pid: number): Promise<{ own: number; started: number }> {
  const read = async (id: number) => {
    const status = await readFile(`/proc/${id}/status`, 'latin1').catch(() => '')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024
  }
  const started = new Set<number>()
  for (const thread of await readdir(`/proc/${pid}/task`).catch(() => [])) {
    const children = await readFile(`/proc/${pid}/task/${thread}/children`, 'latin1').catch(() => '')
    for (const child of children.split(' ').filter(Boolean)) started.add(Number(child))
  }
  return { own: await read(pid), started: Math.max(0, ...(await Promise.all([...started].map(read)))) }
}

async function run(
  name: string,
  { images: pushed = {}, settings, prepare, act }: Case,
  registry: BenchRegistry,
) {
  await using client = new RegistryClient({ plainHttp: [registry.host] })
  for (const [image, push] of Object.entries(pushed)) {
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
    const bench = new Bench(broker, registry.host)
    const prepared = await prepare?.(bench)
    let highest = { own: 0, started: 0 }
    const watch = setInterval(async () => {
      const now = await peaks(broker.pid ?? 0)
      highest = { own: Math.max(highest.own, now.own), started: Math.max(highest.started, now.started) }
    }, 50)
    const startedAt = performance.now()
    const { result, longest } = await probed(broker.url, () => act(bench, prepared as never))
    const seconds = (performance.now() - startedAt) / 1000
    clearInterval(watch)
    const cells = [
      name.padEnd(38),
      `${longest.toFixed(0)} ms`.padStart(12),
      `${seconds.toFixed(1)} s`.padStart(10),
      `${highest.own.toFixed(0)} MiB`.padStart(10),
      `${highest.started.toFixed(0)} MiB`.padStart(10),
    ]
    process.stdout.write(`${cells.join('')}  ${result}\n`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const only = values.only?.split(';')
await using registry = await BenchRegistry.start()
process.stdout.write(
  `${'case'.padEnd(38)}${'/healthz'.padStart(12)}${'took'.padStart(10)}${'server'.padStart(10)}${'started'.padStart(10)}  answer\n`,
)
for (const [name, one] of Object.entries(CASES)) {
  if (only && !only.some((part) => name.includes(part))) continue
  await run(name, one, registry).catch((error: unknown) =>
    process.stdout.write(`${name.padEnd(38)}  ${error}\n`),
  )
}
