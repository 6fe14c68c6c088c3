import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { SingleFlight } from '../../src/concurrency/single-flight.ts'
import { ThreadPool } from '../../src/conversion/layers/thread-pool.ts'
import type { ConversionRunOptions } from '../../src/conversion/plan-conversion.ts'
import { DEFAULT_REQUEST_BOUNDS, RequestTally } from '../../src/conversion/request-bounds.ts'
import { runConversion } from '../../src/conversion/run.ts'
import type { ConversionServices } from '../../src/conversion/services.ts'
import type { Image } from '../../src/conversion/source/image.ts'
import { ImageReader, type OpenedReference } from '../../src/conversion/source/image-reader.ts'
import { runVerification } from '../../src/conversion/verify.ts'
import { RecordFinder } from '../../src/records/images/record-finder.ts'
import type { RecordEntry } from '../../src/records/model.ts'
import { MAX_RECORD_STEPS } from '../../src/records/record-step-budget.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import type { Repository } from '../../src/registry/repository.ts'
import { DEFAULT_LAYER_LIMITS } from '../../src/tar/layer-limits.ts'
import { buildRegistryTool } from './peers/registry-tools.ts'
import { runProgram } from './run-program.ts'
import { TestRegistry } from './servers/test-registry.ts'
import { temporaryFolder } from './temporary-folder.ts'

const never = new AbortController().signal
/**
 * Defects that crane reports in a result and that the source has, too: duplicate names, an index that
 * contradicts its images.
 */
const SOURCE_DEFECTS = /duplicate file path|image platform\[\d+\]/

/** A result to validate with crane. */
type ValidatedResult = {
  /**
   * `--fast` for layers that are not gzip: crane does not read layers then, as it takes every layer for gzip.
   */
  readonly craneOptions: readonly string[]
  readonly source?: string
}

/**
 * The services of a conversion, and a registry to convert in: a given one, or an embedded registry of its
 * own.
 */
export class ConversionBench implements AsyncDisposable {
  readonly host: string
  readonly services: ConversionServices
  readonly records = new Map<string, RecordEntry[]>()
  readonly #stack: AsyncDisposableStack
  /** The results that are not validated yet, by reference. */
  readonly #results = new Map<string, ValidatedResult>()

  private constructor(
    host: string,
    folder: string,
    stack: AsyncDisposableStack,
    otherHosts: readonly string[],
  ) {
    const hosts = [host, ...otherHosts]
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
      project: 'default',
      registries,
      recordFinder: new RecordFinder({
        openRepository: (location) => registries.repository(location),
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

  /** @param otherHosts registries that conversions may contact in addition to `host` */
  static async open(host?: string, otherHosts: readonly string[] = []): Promise<ConversionBench> {
    const stack = new AsyncDisposableStack()
    const folder = stack.use(await temporaryFolder())
    const registryHost = host ?? stack.use(await TestRegistry.start(join(folder.path, 'registry'))).host
    return new ConversionBench(registryHost, folder.path, stack, otherHosts)
  }

  repository(name: string, host = this.host): Repository {
    return this.services.registries.repository({ host, repository: name })
  }

  /** Reads all images that a reference resolves to. */
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
    const craneOptions = request.options?.format === 'zstd-chunked' ? ['--fast'] : []
    const targetRepository = report.target.replace(/:[^:/]*$/, '')
    const sourceRepository = report.source.replace(/(:[^:/]*)?@.*$/, '')
    const add = (digest: string, source?: string) =>
      this.#results.set(`${targetRepository}@${digest}`, {
        craneOptions,
        ...(source && { source: `${sourceRepository}@${source}` }),
      })
    for (const { digest, source } of report.images) add(digest, source)
    if (report.tocImage) add(report.tocImage.digest)
    // An index with entries that were copied unchanged is not validated: the source may be invalid.
    if (report.kept.length === 0) add(report.digest, report.source.split('@')[1])
    return report
  }

  /** Validates all results since the last call with crane. */
  async validate(): Promise<void> {
    const crane = await buildRegistryTool('crane')
    const validate = (reference: string, options: readonly string[]) =>
      runProgram(crane, 'validate', ...options, '--remote', reference).then(
        () => undefined,
        (error: unknown) => error,
      )
    for (const [result, { craneOptions, source }] of this.#results) {
      const error = await validate(result, craneOptions)
      if (!error) continue
      const mayBeInherited = source !== undefined && SOURCE_DEFECTS.test(String(error))
      if (!mayBeInherited || !(await validate(source, craneOptions))) throw error
    }
    this.#results.clear()
  }

  verify(request: Parameters<typeof runVerification>[0]): ReturnType<typeof runVerification> {
    return runVerification(request, this.services, { signal: never })
  }

  /** The names of the files in the scratch folder. */
  listScratchFiles(): string[] {
    try {
      return readdirSync(this.services.scratch.folder)
    } catch {
      return []
    }
  }

  /** In CI, fails if crane rejects the result of any conversion. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using _ = this.#stack
    if (process.env.CI === 'true') await this.validate()
  }
}
