import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { conversionServices, openRegistries } from '../app/composition.ts'
import { loadConfig } from '../app/config.ts'
import { onStopSignal } from '../app/stop-signals.ts'
import { decodeContent } from '../bytes/content-encoding.ts'
import { inspectImage } from '../conversion/inspect.ts'
import { readImageFile } from '../conversion/read-image-file.ts'
import { ConversionRequest } from '../conversion/request.ts'
import type { ConversionCache } from '../conversion/reuse/conversion-cache.ts'
import { runConversion } from '../conversion/run.ts'
import type { ConversionServices } from '../conversion/services.ts'
import { runVerification } from '../conversion/verify.ts'
import { parseReference } from '../oci/reference.ts'
import { readRecord } from '../records/formats/read.ts'
import { RecordFinder } from '../records/images/finder.ts'
import type { RecordEntry } from '../records/model.ts'
import { CommandError, Interrupted } from './errors.ts'
import { conversionText, inspectionText, verificationText } from './output.ts'
import { openProfile } from './profile-file.ts'

type Common = { readonly plainHttp?: string[]; readonly json?: boolean }

export type ConvertOptions = Common & {
  readonly record?: string
  readonly recordImage?: string
  readonly recordCopy?: string
  readonly recordMatch?: string | true
  readonly attachRecord?: boolean
  readonly platform?: string[]
  readonly overwrite?: boolean
  readonly keepAttestations?: boolean
  readonly link?: boolean
  readonly compression?: string
  readonly compressionLevel?: number
  readonly format?: string
  readonly chunkSize?: number
  readonly minChunkSize?: number
  readonly externalToc?: boolean
  readonly keepDiffId?: boolean
  readonly reader?: string
  readonly cache?: string
}

/** Converts an image in this process, by the same code as a job. */
export async function convert(source: string, target: string, options: ConvertOptions): Promise<void> {
  const record = await recordOf(options)
  const request = ConversionRequest.safeParse({
    source,
    target,
    ...(record && { record }),
    ...(options.platform && { platforms: options.platform }),
    ...(options.overwrite && { overwrite: true }),
    options: {
      ...(options.attachRecord && { attachRecord: true }),
      ...(options.keepAttestations && { attestations: 'keep' }),
      ...(options.link && { link: 'subject' }),
      compression: options.compression,
      compressionLevel: options.compressionLevel,
      format: options.format,
      chunkSize: options.chunkSize,
      minChunkSize: options.minChunkSize,
      externalToc: options.externalToc,
      keepDiffId: options.keepDiffId,
      reader: options.reader,
    },
  })
  if (!request.success) {
    const issue = request.error.issues[0]
    throw new CommandError(`${issue?.path.join('.')}: ${issue?.message}`)
  }
  const named = [source, target, options.recordImage, options.recordCopy]
  await withServices(named, options, async (services, signal) => {
    await using cache = await openCache(options.cache)
    const report = await runConversion(
      request.data,
      { ...services, finder: finderFor(source, services), cache: cache?.cache },
      { signal },
    )
    print(options, report, conversionText)
  })
}

async function openCache(
  file: string | undefined,
): Promise<({ cache: ConversionCache | undefined } & AsyncDisposable) | undefined> {
  if (file === undefined) return undefined
  // Loaded when it is asked for: most conversions need no database.
  const { openDatabase } = await import('../db/open.ts')
  const { databaseCache } = await import('../cache/cache.ts')
  const { cacheLayers: layers, cacheImages: images } = loadConfig()
  const database = await openDatabase(`sqlite:${file}`)
  return {
    cache: databaseCache(database, { layers, images }),
    [Symbol.asyncDispose]: () => database.close(),
  }
}

/** Without a broker, record images are looked for where the image is. */
function finderFor(source: string, { registries, finder }: ConversionServices): RecordFinder {
  if (loadConfig().backingRegistry) return finder
  const backing = { host: parseReference(source).host, prefix: '' }
  return new RecordFinder({ repository: (at) => registries.repository(at), backing })
}

async function recordOf(options: ConvertOptions): Promise<ConversionRequest['record']> {
  const { record, recordImage, recordCopy, recordMatch } = options
  const given = [record, recordImage, recordCopy, recordMatch].filter((one) => one !== undefined)
  if (given.length > 1) {
    throw new CommandError(
      'of --record, --record-image, --record-copy and --record-match only one can be given',
    )
  }
  if (record !== undefined) return { inline: await readRecordFile(record) }
  if (recordImage !== undefined) return { image: recordImage }
  if (recordCopy !== undefined) return { copyFrom: recordCopy }
  if (recordMatch !== undefined) return { match: recordMatch === true ? {} : { workload: recordMatch } }
  return undefined
}

async function readRecordFile(path: string): Promise<RecordEntry[]> {
  const { bytes, encoding } = await openProfile(path)
  const source = encoding === undefined ? bytes : decodeContent(bytes, encoding)
  const { entries, notes } = await readRecord(source, loadConfig().bounds.record)
  for (const warning of notes.warnings ?? []) process.stderr.write(`${path}: ${warning}\n`)
  return entries
}

/** Shows what an image says of itself. */
export async function inspect(reference: string, options: Common): Promise<void> {
  await withServices([reference], options, async (services, signal) => {
    print(options, await inspectImage(reference, services, signal), inspectionText)
  })
}

/** Prints a file of an image. */
export async function cat(
  reference: string,
  path: string,
  options: Common & { readonly platform?: string },
): Promise<void> {
  await withServices([reference], options, async (services, signal) => {
    const { platform } = options
    await pipeline(readImageFile(reference, path, services, { platform, signal }), process.stdout, {
      end: false,
    })
  })
}

/** Verifies an image; status 1 when something is wrong with it. */
export async function verify(
  reference: string,
  options: Common & { readonly source?: string; readonly platform?: string[] },
): Promise<void> {
  await withServices([reference, options.source], options, async (services, signal) => {
    const report = await runVerification(
      {
        reference,
        ...(options.source !== undefined && { source: options.source }),
        ...(options.platform && { platforms: options.platform }),
      },
      services,
      { signal },
    )
    print(options, report, verificationText)
    if (!report.verified) process.exitCode = 1
  })
}

function print<Report>(options: Common, report: Report, text: (report: Report) => string): void {
  process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : text(report))
}

/** Whoever names a registry on the command line wants it spoken to. */
async function withServices(
  references: readonly (string | undefined)[],
  { plainHttp = [] }: Common,
  act: (services: ConversionServices, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const config = loadConfig()
  const hosts = references.flatMap((text) => (text === undefined ? [] : parseReference(text).host))
  const onWarning = (host: string, text: string) => process.stderr.write(`warning of ${host}: ${text}\n`)
  const stop = new AbortController()
  const listening = onStopSignal((signal) => stop.abort(new Interrupted(signal)))
  const folder = await mkdtemp(join(tmpdir(), 'record-broker-'))
  try {
    await using registries = openRegistries(config, { hosts, plainHttp, onWarning })
    const services = conversionServices(config, registries, async () => undefined, {
      scratchFolder: folder,
    })
    await using _threads = services.threads
    await act(services, stop.signal)
  } finally {
    listening()
    await rm(folder, { recursive: true, force: true })
  }
}
