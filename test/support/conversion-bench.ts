import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { SingleFlight } from '../../src/concurrency/single-flight.ts'
import { ThreadPool } from '../../src/conversion/layers/thread-pool.ts'
import { DEFAULT_REQUEST_BOUNDS, RequestTally } from '../../src/conversion/request-bounds.ts'
import { type ConversionRunOptions, runConversion } from '../../src/conversion/run.ts'
import type { ConversionServices } from '../../src/conversion/services.ts'
import type { Image } from '../../src/conversion/source/image.ts'
import { ImageReader, type OpenedReference } from '../../src/conversion/source/image-reader.ts'
import { runVerification } from '../../src/conversion/verify.ts'
import { RecordFinder } from '../../src/records/images/record-finder.ts'
import type { RecordEntry } from '../../src/records/model.ts'
import { MAX_RECORD_STEPS } from '../../src/records/step-budget.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import type { Repository } from '../../src/registry/repository.ts'
import { DEFAULT_LAYER_LIMITS } from '../../src/tar/layer-limits.ts'
import { runProgram } from './run-program.ts'
import { TestRegistry } from './servers/test-registry.ts'
import { temporaryFolder } from './temporary-folder.ts'
import { buildRegistryTool } from './peers/registry-tools.ts'

const never = new AbortController().signal
/** What a validator finds in results as in their sources: names that stand in a layer twice, an index that contradicts its images. */
const OF_SOURCE = /duplicate file path|image platform\[\d+\]/

/** Everything that a conversion needs, against one registry; the embedded one when none is named. */
export class ConversionBench implements AsyncDisposable {
  readonly host: string
  readonly services: ConversionServices
  readonly records = new Map<string, RecordEntry[]>()
  readonly #stack: AsyncDisposableStack
  /** Results, and how they are validated: layers that are not gzip are not read, as the validator takes all for gzip. */
  readonly #results = new Map<string, { readonly how: readonly string[]; readonly source?: string }>()

  private constructor(host: string, folder: string, stack: AsyncDisposableStack, more: readonly string[]) {
    const hosts = [host, ...more]
    this.host = host
    this.#stack = stack
    const registries = stack.use(
      new RegistryClient({
        allowedHosts: (name) => hosts.includes(name),
        plainHttp: hosts,
        retry: { baseMs: 5 },
      }),
    )
    this.services = {
      registries,
      recordFinder: new RecordFinder({
        openRepository: (at) => registries.repository(at),
        backing: { host, prefix: '' },
      }),
      threads: stack.use(new ThreadPool(2)),
      scratch: { folder: join(folder, 'scratch'), limitBytes: 2 ** 30 },
      limits: { ...DEFAULT_LAYER_LIMITS, maxUncompressedBytes: 2 ** 30 },
      layersInProgress: new SingleFlight(),
      bounds: DEFAULT_REQUEST_BOUNDS,
      recordLimits: { maxBytes: 2 ** 20 },
      maxRecordSteps: MAX_RECORD_STEPS,
      findUploadedRecord: async (id) => {
        const entries = this.records.get(id)
        return entries && { entries }
      },
    }
  }

  /** @param more hosts that may be spoken to besides */
  static async open(host?: string, more: readonly string[] = []): Promise<ConversionBench> {
    const stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    const at = host ?? stack.use(await TestRegistry.start(join(folder.path, 'registry'))).host
    return new ConversionBench(at, folder.path, stack, more)
  }

  repository(name: string, host = this.host): Repository {
    return this.services.registries.repository({ host, repository: name })
  }

  /** Reads all images behind a reference. */
  async readImages(reference: string): Promise<OpenedReference & { readonly images: readonly Image[] }> {
    const { registries } = this.services
    const reader = new ImageReader({ registries, tally: new RequestTally(), signal: never })
    const opened = await reader.open(reference)
    const { images } = await reader.read(opened, undefined)
    return { ...opened, images }
  }

  async convert(
    request: Parameters<typeof runConversion>[0],
    options: Partial<ConversionRunOptions> = {},
  ): ReturnType<typeof runConversion> {
    const report = await runConversion(request, this.services, { signal: never, ...options })
    const how = request.options?.format === 'zstd-chunked' ? ['--fast'] : []
    const [to, from] = [report.target.replace(/:[^:/]*$/, ''), report.source.replace(/(:[^:/]*)?@.*$/, '')]
    const add = (digest: string, source?: string) =>
      this.#results.set(`${to}@${digest}`, { how, ...(source && { source: `${from}@${source}` }) })
    for (const { digest, source } of report.images) add(digest, source)
    if (report.tocImage) add(report.tocImage.digest)
    // Nobody here answers for what the result has from its source.
    if (report.kept.length === 0) add(report.digest, report.source.split('@')[1])
    return report
  }

  /** Holds all results so far against a validator of others. */
  async validate(): Promise<void> {
    const crane = await buildRegistryTool('crane')
    const problem = (reference: string, how: readonly string[]) =>
      runProgram(crane, 'validate', ...how, '--remote', reference).then(
        () => undefined,
        (error: unknown) => error,
      )
    for (const [result, { how, source }] of this.#results) {
      const found = await problem(result, how)
      if (!found) continue
      const isOfSource = source !== undefined && OF_SOURCE.test(String(found))
      if (!isOfSource || !(await problem(source, how))) throw found
    }
    this.#results.clear()
  }

  verify(request: Parameters<typeof runVerification>[0]): ReturnType<typeof runVerification> {
    return runVerification(request, this.services, { signal: never })
  }

  /** What lies in the scratch folder now. */
  listScratchFiles(): string[] {
    try {
      return readdirSync(this.services.scratch.folder)
    } catch {
      return []
    }
  }

  /** In CI every result of every test has to be valid in the eyes of others. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using _ = this.#stack
    if (process.env.CI === 'true') await this.validate()
  }
}
