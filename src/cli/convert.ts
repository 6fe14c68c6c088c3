import { type Command, Option } from 'commander'
import { loadConfig } from '../app/config.ts'
import { decodeContent } from '../bytes/content-encoding.ts'
import { ConversionRequest } from '../conversion/request.ts'
import type { ConversionCache } from '../conversion/reuse/conversion-cache.ts'
import { runConversion } from '../conversion/run.ts'
import type { ConversionServices } from '../conversion/services.ts'
import { parseReference } from '../oci/reference.ts'
import { readRecord } from '../records/formats/read-record.ts'
import { RecordFinder } from '../records/images/record-finder.ts'
import { type RecordEntry, RecordFormat } from '../records/model.ts'
import { collect, count, platform, reference } from './arguments.ts'
import { CommandError } from './errors.ts'
import { type LocalOptions, PLAIN_HTTP_OPTION, withServices } from './local-images.ts'
import { print } from './print.ts'
import { openProfile } from './profile-file.ts'
import { conversionText } from './report-text.ts'

type ConvertOptions = LocalOptions & {
  readonly record?: string
  readonly recordFormat?: RecordFormat
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

/** Adds `convert`. */
export function addConvertCommand(program: Command): void {
  program
    .command('convert')
    .description('convert an image to eStargz, registry to registry, in this process')
    .argument('<source>', 'the image to convert', reference)
    .argument('<target>', 'where to push the result, with a tag', reference)
    .option('--record <file>', 'apply the output of a profiler; - reads standard input')
    .addOption(
      new Option('--record-format <format>', 'the format of --record; default: detected').choices(
        RecordFormat.options,
      ),
    )
    .option('--record-image <reference>', 'apply a record file image', reference)
    .option('--record-copy <reference>', 'apply the prioritized files of an eStargz image', reference)
    .option('--record-match [workload]', 'apply the record file image that was published for the source')
    .option('--attach-record', 'also publish the record as a referrer of the converted image')
    .option(
      '--platform <platform>',
      'os/architecture[/variant]; can be given more than once',
      collect(platform),
    )
    .option('--overwrite', 'move the target tag if it already points elsewhere')
    .option('--keep-attestations', 'keep attestations, although they describe the unconverted images')
    .option('--link', 'name the source as the subject of the result; both must be in one repository')
    .option('--compression <method>', 'auto, transcode, refine or recompress')
    .option('--compression-level <level>', 'for recompressed layers: zlib 0 to 9, zstd 1 to 22', count)
    .option('--format <format>', 'estargz or zstd-chunked')
    .option('--chunk-size <bytes>', 'the maximum number of bytes of a file that are verified at once', count)
    .option('--min-chunk-size <bytes>', 'smaller files share a member until it holds this many bytes', count)
    .option('--external-toc', 'push the tables of contents as an image of their own, TAG-esgztoc')
    .option('--keep-diff-id', 'keep the archives unchanged; needs --external-toc and excludes records')
    .option('--cache <file>', 'reuse converted layers, remembered in this SQLite file')
    .option('--reader <reader>', 'for zstd-chunked: stargz-snapshotter or containers-storage')
    .option(...PLAIN_HTTP_OPTION)
    .option('--json', 'print the whole report as JSON')
    .action(convert)
}

/** Converts an image in this process, with the code that jobs run. */
async function convert(source: string, target: string, options: ConvertOptions): Promise<void> {
  const request = ConversionRequest.safeParse(await requestOf(source, target, options))
  if (!request.success) {
    const issue = request.error.issues[0]
    throw new CommandError(`${issue?.path.join('.')}: ${issue?.message}`)
  }
  const references = [source, target, options.recordImage, options.recordCopy]
  await withServices(references, options, async (services, signal) => {
    await using cache = await openCache(options.cache)
    const report = await runConversion(
      request.data,
      { ...services, recordFinder: finderFor(source, services), cache: cache?.cache },
      { signal },
    )
    print(options, report, conversionText)
  })
}

async function requestOf(
  source: string,
  target: string,
  options: ConvertOptions,
): Promise<Record<string, unknown>> {
  const record = await recordSource(options)
  return {
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
  }
}

async function recordSource(options: ConvertOptions): Promise<ConversionRequest['record']> {
  const { record, recordFormat, recordImage, recordCopy, recordMatch } = options
  const given = [record, recordImage, recordCopy, recordMatch].filter((value) => value !== undefined)
  if (given.length > 1) {
    throw new CommandError('give one of --record, --record-image, --record-copy and --record-match')
  }
  if (record !== undefined) return { inline: await readRecordFile(record, recordFormat) }
  if (recordImage !== undefined) return { image: recordImage }
  if (recordCopy !== undefined) return { copyFrom: recordCopy }
  if (recordMatch !== undefined) return { match: recordMatch === true ? {} : { workload: recordMatch } }
  return undefined
}

async function readRecordFile(path: string, format: RecordFormat | undefined): Promise<RecordEntry[]> {
  const { bytes, encoding } = await openProfile(path)
  const source = encoding === undefined ? bytes : decodeContent(bytes, encoding)
  const { entries, notes } = await readRecord(source, {
    ...loadConfig().bounds.record,
    ...(format && { format }),
  })
  for (const warning of notes.warnings ?? []) process.stderr.write(`${path}: ${warning}\n`)
  return entries
}

async function openCache(
  file: string | undefined,
): Promise<({ cache: ConversionCache | undefined } & AsyncDisposable) | undefined> {
  if (file === undefined) return undefined
  // Loaded on demand: most conversions need no database.
  const { openDatabase } = await import('../db/open-database.ts')
  const { createDatabaseCache } = await import('../cache/database-cache.ts')
  const { cacheLayers: layers, cacheImages: images } = loadConfig()
  const database = await openDatabase(`sqlite:${file}`)
  return {
    cache: createDatabaseCache(database, { layers, images }),
    [Symbol.asyncDispose]: () => database.close(),
  }
}

/** Without a configured backing registry, record images are searched in the registry of the source. */
function finderFor(source: string, { registries, recordFinder }: ConversionServices): RecordFinder {
  if (loadConfig().backingRegistry) return recordFinder
  const backing = { host: parseReference(source).host, prefix: '' }
  return new RecordFinder({ openRepository: (name) => registries.repository(name), backing })
}
