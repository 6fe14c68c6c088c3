import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ConversionReport } from '../src/conversion/report.ts'
import { parseReference } from '../src/oci/reference.ts'
import { measureNode, type ResourceUsage } from './measure/measure.ts'
import { BenchRegistry } from './registries.ts'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const REPOSITORY = 'bench/converted'

/** The resources that a conversion used, and its result. */
export type ConversionMeasurement = {
  readonly usage: ResourceUsage
  /** The total size of the resulting layers in bytes. */
  readonly bytes?: number
  /** The number of entries in the resulting layers. */
  readonly entries?: number
  /** The compression method of each layer, if the broker converted the image. */
  readonly methods?: readonly string[]
}

type BrokerMeasurement = ConversionMeasurement & { readonly actions: readonly string[] }

/** Runs conversions of the broker in child processes, each with an empty target registry. */
export class Conversions {
  readonly #records: readonly [first: string, second: string]
  readonly #signal: AbortSignal

  /** @param records paths of two record files */
  constructor(records: readonly [first: string, second: string], signal: AbortSignal) {
    this.#records = records
    this.#signal = signal
  }

  async convert(
    source: { readonly reference: string },
    options: readonly string[],
  ): Promise<ConversionMeasurement> {
    await using target = await BenchRegistry.start()
    return await this.#convert(source.reference, target, 'converted', options)
  }

  convertWithRecord(source: { readonly reference: string }): Promise<ConversionMeasurement> {
    return this.convert(source, ['--record', this.#records[0]])
  }

  /**
   * Converts an image with one record, and measures its second conversion with another record. Returns the
   * reason if no layer was re-arranged.
   */
  async rearrange(source: { readonly reference: string }): Promise<ConversionMeasurement | string> {
    await using target = await BenchRegistry.start()
    await using folder = await mkdtempDisposable(join(tmpdir(), 'record-broker-bench-'))
    const cache = ['--cache', join(folder.path, 'cache')]
    const convert = (tag: string, record: string) =>
      this.#convert(source.reference, target, tag, ['--record', record, ...cache])
    await convert('first', this.#records[0])
    const second = await convert('second', this.#records[1])
    return second.actions.includes('rearranged') ? second : 'no layer was re-arranged'
  }

  /** Converts an image, and measures the verification of the result against its source. */
  async verify(source: { readonly reference: string }): Promise<ConversionMeasurement> {
    await using target = await BenchRegistry.start()
    await this.#convert(source.reference, target, 'converted', [])
    const command = [MAIN, 'verify', `${target.host}/${REPOSITORY}:converted`, '--source', source.reference]
    const { usage } = await measureNode([...command, ...plainHttp(source.reference, target)], this.#signal)
    return { usage }
  }

  async #convert(
    source: string,
    target: BenchRegistry,
    tag: string,
    options: readonly string[],
  ): Promise<BrokerMeasurement> {
    const command = [MAIN, 'convert', source, `${target.host}/${REPOSITORY}:${tag}`, ...options, '--json']
    const { usage, output } = await measureNode([...command, ...plainHttp(source, target)], this.#signal)
    const report = JSON.parse(output) as ConversionReport
    const layers = report.images.flatMap((image) => image.layers)
    return {
      usage,
      bytes: report.size,
      entries: layers.reduce((sum, { entryCount }) => sum + entryCount, 0),
      methods: layers.map(({ compression }) => compression.method),
      actions: layers.map(({ action }) => action),
    }
  }
}

function plainHttp(source: string, target: BenchRegistry): string[] {
  return [parseReference(source).host, target.host].flatMap((host) => ['--plain-http', host])
}
