import { randomBytes } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { digestOf } from '../src/oci/digest.ts'
import { OCI_LAYER_GZIP } from '../src/oci/media-types.ts'
import type { Repository } from '../src/registry/repository.ts'
import { BrokerProcess } from '../test/support/broker-process.ts'
import { file, buildTar } from '../test/support/images/build-tar.ts'
import { type CompressedLayer, digestFile } from './source/compression-formats.ts'
import { BenchRegistry } from './registries.ts'
import { summarize } from './report/results.ts'
import { pushImage, type SourceImage } from './source/source-image.ts'

/** How often the same conversion is asked for again. */
const AGAIN = 9
/** Images that share a base, and what each has besides. */
const IMAGES = 20
const TOP_BYTES = 1024 * 1024
const LOOK_MS = 20
/** Of /proc/PID/stat: Linux tells times in hundredths of a second, whatever the kernel counts in (proc(5), USER_HZ). */
const TICKS_PER_SECOND = 100

/** Seconds. CPU is that of server and worker together. */
export type Timing = { readonly wall: number; readonly cpu: number }

/** What a whole broker takes, with what it remembers and without. */
export type Reuse = {
  readonly first: Timing
  /** The same conversion under another tag, and into another repository; the median of several. */
  readonly anotherTag: Timing
  readonly anotherRepository: Timing
  readonly images: number
  /** Images that share a base, one after the other: with the cache, and without. */
  readonly withCache: Timing
  readonly withoutCache: Timing
}

/** Measures what is asked of one broker more than once. `image`: of both layers; `base`: what 20 images share. */
export async function measureReuse(
  source: Repository,
  image: SourceImage,
  base: CompressedLayer,
): Promise<Reuse> {
  const sharing = await pushSharing(source, base)
  const same = await withBroker(source.host, {}, async (broker) => {
    const convert = (target: string) => broker.convert([{ source: image.reference, target }])
    const first = await convert('bench/same:first')
    const again: Timing[] = []
    const elsewhere: Timing[] = []
    for (let n = 0; n < AGAIN; n++) {
      again.push(await convert(`bench/same:again-${n}`))
      elsewhere.push(await convert(`bench/same-${n}:again`))
    }
    return { first, again: median(again), elsewhere: median(elsewhere) }
  })
  const all = sharing.map((reference, n) => ({ source: reference, target: `bench/sharing:${n}` }))
  const shared = (settings: Record<string, string>) =>
    withBroker(source.host, settings, (broker) => broker.convert(all))
  return {
    ...same,
    images: IMAGES,
    withCache: await shared({}),
    withoutCache: await shared({ RECORD_BROKER_CACHE_LAYERS: '0' }),
  }
}

/** Pushes images of one large layer and a small one each; answers their references. */
async function pushSharing(repository: Repository, { archivePath: plain, compressedPath: packed }: CompressedLayer): Promise<string[]> {
  const blob = await digestFile(packed)
  await repository.pushBlob(blob, () => createReadStream(packed))
  const diffId = (await digestFile(plain)).digest
  const references: string[] = []
  for (let n = 0; n < IMAGES; n++) {
    const top = buildTar(file('app/version', String(n)), file('app/program', randomBytes(TOP_BYTES)))
    const layers = [blob, await repository.pushBytes(gzipSync(top))]
    const descriptors = layers.map((layer) => ({ mediaType: OCI_LAYER_GZIP, ...layer }))
    references.push(await pushImage(repository, descriptors, [diffId, digestOf(top)]))
  }
  return references
}

type Conversion = { readonly source: string; readonly target: string }
type Status = { readonly id: string; readonly state: string }

/** A broker with one conversion at a time, and an empty registry to convert into. */
class MeasuredBroker {
  readonly #broker: BrokerProcess
  readonly #target: string

  constructor(broker: BrokerProcess, target: string) {
    this.#broker = broker
    this.#target = target
  }

  /** Has it convert, and waits for the end of all. */
  async convert(conversions: readonly Conversion[]): Promise<Timing> {
    const cpu = this.#cpu()
    const startedAt = performance.now()
    const asked = conversions.map(({ source, target }) => ({ source, target: `${this.#target}/${target}` }))
    let batch = await this.#broker.request<Status>('POST', '/v1/conversion-batches', { conversions: asked })
    while (batch.state === 'running') {
      await delay(LOOK_MS)
      batch = await this.#broker.request<Status>('GET', `/v1/conversion-batches/${batch.id}`)
    }
    const wall = (performance.now() - startedAt) / 1000
    if (batch.state !== 'succeeded') throw new Error(`the conversions ended as ${JSON.stringify(batch)}`)
    return { wall, cpu: this.#cpu() - cpu }
  }

  #cpu(): number {
    return [this.#broker.pid, this.#broker.workerPid].reduce<number>((sum, pid) => sum + cpuSeconds(pid), 0)
  }
}

async function withBroker<Result>(
  source: string,
  settings: Record<string, string>,
  act: (broker: MeasuredBroker) => Promise<Result>,
): Promise<Result> {
  await using target = await BenchRegistry.start()
  await using folder = await mkdtempDisposable(join(tmpdir(), 'record-broker-bench-'))
  const hosts = [source, target.host].join()
  await using broker = await BrokerProcess.start(folder.path, {
    RECORD_BROKER_REGISTRIES: hosts,
    RECORD_BROKER_PLAIN_HTTP: hosts,
    RECORD_BROKER_CONCURRENCY: '1',
    ...settings,
  })
  while (broker.workerPid === undefined) await delay(LOOK_MS)
  return await act(new MeasuredBroker(broker, target.host))
}

/** What a process used so far, with its threads; of one that is not there: nothing. */
function cpuSeconds(pid: number | undefined): number {
  if (pid === undefined) return 0
  // The name of the program, in brackets, may hold anything; user and system time are the 12th and 13th field behind it.
  const [user = 0, system = 0] = (readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1) ?? '')
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return (user + system) / TICKS_PER_SECOND
}

function median(took: readonly Timing[]): Timing {
  const of = (quantity: keyof Timing) => summarize(took.map((one) => one[quantity]))?.median ?? 0
  return { wall: of('wall'), cpu: of('cpu') }
}
