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
import { buildTar, file } from '../test/support/images/build-tar.ts'
import { BenchRegistry } from './registries.ts'
import { summarize } from './report/results.ts'
import { type CompressedLayer, digestFile } from './source/compression-formats.ts'
import { pushImage, type SourceImage } from './source/source-image.ts'

/** The number of repetitions of the same conversion. */
const REPETITIONS = 9
/** The number of images that share a base. */
const IMAGES = 20
/** The size of the layer above the base. */
const TOP_BYTES = 1024 * 1024
const POLL_INTERVAL_MS = 20
/**
 * The unit of the times in /proc/PID/stat (proc(5), USER_HZ). It is the same for every kernel configuration.
 */
const TICKS_PER_SECOND = 100

/** Times in seconds. `cpu` is the sum of server and worker. */
export type Timing = { readonly wall: number; readonly cpu: number }

/** Timings of conversions by a broker, with and without results that it can reuse. */
export type Reuse = {
  readonly first: Timing
  /** The same conversion to another tag. The median of several. */
  readonly anotherTag: Timing
  /** The same conversion to another repository. The median of several. */
  readonly anotherRepository: Timing
  /** The number of images that share a base. */
  readonly images: number
  /** All images that share a base, one after the other, with the cache of layers. */
  readonly withCache: Timing
  readonly withoutCache: Timing
}

/**
 * Measures conversions by a broker that can reuse earlier results.
 * @param image the image that is converted repeatedly
 * @param base the layer that 20 images share
 */
export async function measureReuse(
  source: Repository,
  image: SourceImage,
  base: CompressedLayer,
): Promise<Reuse> {
  const references = await pushSharingImages(source, base)
  const repeated = await withBroker(source.host, {}, async (broker) => {
    const convert = (target: string) => broker.convert([{ source: image.reference, target }])
    const first = await convert('bench/same:first')
    const anotherTag: Timing[] = []
    const anotherRepository: Timing[] = []
    for (let n = 0; n < REPETITIONS; n++) {
      anotherTag.push(await convert(`bench/same:again-${n}`))
      anotherRepository.push(await convert(`bench/same-${n}:again`))
    }
    return { first, anotherTag: median(anotherTag), anotherRepository: median(anotherRepository) }
  })
  const conversions = references.map((reference, n) => ({ source: reference, target: `bench/sharing:${n}` }))
  const convertSharing = (settings: Record<string, string>) =>
    withBroker(source.host, settings, (broker) => broker.convert(conversions))
  return {
    ...repeated,
    images: IMAGES,
    withCache: await convertSharing({}),
    withoutCache: await convertSharing({ RECORD_BROKER_CACHE_LAYERS: '0' }),
  }
}

/** Pushes images with the same large layer and a small one of their own. Returns their references. */
async function pushSharingImages(
  repository: Repository,
  { archivePath, compressedPath }: CompressedLayer,
): Promise<string[]> {
  const blob = await digestFile(compressedPath)
  await repository.pushBlob(blob, () => createReadStream(compressedPath))
  const diffId = (await digestFile(archivePath)).digest
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

/** A broker that converts one image at a time into an empty registry. */
class MeasuredBroker {
  readonly #broker: BrokerProcess
  readonly #target: string

  constructor(broker: BrokerProcess, target: string) {
    this.#broker = broker
    this.#target = target
  }

  /** Measures a batch of conversions. */
  async convert(conversions: readonly Conversion[]): Promise<Timing> {
    const cpuBefore = this.#readCpu()
    const startedAt = performance.now()
    const requests = conversions.map(({ source, target }) => ({
      source,
      target: `${this.#target}/${target}`,
    }))
    let batch = await this.#broker.request<Status>('POST', '/v1/conversion-batches', {
      conversions: requests,
    })
    while (batch.state === 'running') {
      await delay(POLL_INTERVAL_MS)
      batch = await this.#broker.request<Status>('GET', `/v1/conversion-batches/${batch.id}`)
    }
    const wall = (performance.now() - startedAt) / 1000
    if (batch.state !== 'succeeded') throw new Error(`the batch did not succeed: ${JSON.stringify(batch)}`)
    return { wall, cpu: this.#readCpu() - cpuBefore }
  }

  #readCpu(): number {
    return [this.#broker.pid, this.#broker.workerPid].reduce<number>((sum, pid) => sum + readCpu(pid), 0)
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
  while (broker.workerPid === undefined) await delay(POLL_INTERVAL_MS)
  return await act(new MeasuredBroker(broker, target.host))
}

/** Returns the CPU time that a process with its threads has used, in seconds. Without a process, it is 0. */
function readCpu(pid: number | undefined): number {
  if (pid === undefined) return 0
  // The program name in parentheses may contain any character. User and system time are the 12th and 13th
  // field after it.
  const [user = 0, system = 0] = (readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1) ?? '')
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return (user + system) / TICKS_PER_SECOND
}

function median(timings: readonly Timing[]): Timing {
  return {
    wall: summarize(timings.map(({ wall }) => wall))?.median ?? 0,
    cpu: summarize(timings.map(({ cpu }) => cpu))?.median ?? 0,
  }
}
