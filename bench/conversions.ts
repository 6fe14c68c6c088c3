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

/** What a conversion used; the layers that it made, in bytes and entries; and, of ours, how layers were compressed. */
export type ConversionMeasurement = {
  readonly usage: ResourceUsage
  readonly bytes?: number
  readonly entries?: number
  readonly methods?: readonly string[]
}

type Converted = ConversionMeasurement & { readonly actions: readonly string[] }

/** Conversions in processes of their own, each into a registry that was empty before. */
export class Conversions {
  readonly #records: readonly [first: string, second: string]
  readonly #signal: AbortSignal

  /** @param records paths of two record files */
  constructor(records: readonly [first: string, second: string], signal: AbortSignal) {
    this.#records = records
    this.#signal = signal
  }

  async convert(source: { readonly reference: string }, options: readonly string[]): Promise<ConversionMeasurement> {
    await using target = await BenchRegistry.start()
    return await this.#run(source.reference, target, 'converted', options)
  }

  convertWithRecord(source: { readonly reference: string }): Promise<ConversionMeasurement> {
    return this.convert(source, ['--record', this.#records[0]])
  }

  /** A conversion with another record, of an image that was converted with a record before: only the second counts. */
  async rearrange(source: { readonly reference: string }): Promise<ConversionMeasurement | string> {
    await using target = await BenchRegistry.start()
    await using folder = await mkdtempDisposable(join(tmpdir(), 'record-broker-bench-'))
    const convert = (tag: string, record: string) =>
      this.#run(source.reference, target, tag, ['--record', record, '--cache', join(folder.path, 'cache')])
    await convert('first', this.#records[0])
    const second = await convert('second', this.#records[1])
    return second.actions.includes('rearranged') ? second : 'no layer was re-arranged'
  }

  /** The verification of a converted image, compared with its source. */
  async verify(source: { readonly reference: string }): Promise<ConversionMeasurement> {
    await using target = await BenchRegistry.start()
    await this.#run(source.reference, target, 'converted', [])
    const command = [MAIN, 'verify', `${target.host}/${REPOSITORY}:converted`, '--source', source.reference]
    const { used } = await measureNode([...command, ...plainHttp(source.reference, target)], this.#signal)
    return { usage: used }
  }

  async #run(
    source: string,
    target: BenchRegistry,
    tag: string,
    options: readonly string[],
  ): Promise<Converted> {
    const command = [MAIN, 'convert', source, `${target.host}/${REPOSITORY}:${tag}`, ...options, '--json']
    const { used, output } = await measureNode([...command, ...plainHttp(source, target)], this.#signal)
    const report = JSON.parse(output) as ConversionReport
    const layers = report.images.flatMap((image) => image.layers)
    return {
      usage: used,
      bytes: report.size,
      entries: layers.reduce((sum, { entries }) => sum + entries, 0),
      methods: layers.map(({ compression }) => compression.method),
      actions: layers.map(({ action }) => action),
    }
  }
}

function plainHttp(source: string, target: BenchRegistry): string[] {
  return [parseReference(source).host, target.host].flatMap((host) => ['--plain-http', host])
}
