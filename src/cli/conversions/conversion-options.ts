import { type Command, Option } from 'commander'
import { ConversionOptions } from '../../conversion/request.ts'
import { RecordFormat } from '../../records/model.ts'
import { count, PLATFORMS_OPTION, reference, size } from '../arguments.ts'
import { CommandError } from '../failures/errors.ts'

/** The options that say how an image is converted, wherever that happens. */
export type ConvertOptions = {
  readonly record?: string
  readonly recordFormat?: RecordFormat
  readonly recordImage?: string
  readonly recordCopy?: string
  readonly recordMatch?: string | true
  readonly attachRecord?: boolean
  readonly interpreters: boolean
  readonly platform?: string[]
  readonly overwrite?: boolean
  readonly keepAttestations?: boolean
  readonly link?: boolean
  readonly compression?: ConversionOptions['compression']
  readonly compressionLevel?: number
  readonly format?: ConversionOptions['format']
  readonly chunkSize?: number
  readonly minChunkSize?: number
  readonly externalToc?: boolean
  readonly keepDiffId?: boolean
  readonly reader?: ConversionOptions['reader']
}

const { format, compression, reader } = ConversionOptions.shape
const valuesOf = <Value extends string>(schema: { unwrap(): { options: Value[] } }) => schema.unwrap().options

/** Adds the options that say how an image is converted. */
export function addConvertOptions(command: Command): Command {
  command.optionsGroup('Record:')
  command.option('--record <file>', 'apply the output of a profiler; - reads standard input')
  command.addOption(
    new Option('--record-format <format>', 'the format of --record; default: detected').choices(
      RecordFormat.options,
    ),
  )
  command.option('--record-image <reference>', 'apply a record file image', reference)
  command.option('--record-copy <reference>', 'apply the prioritized files of an eStargz image', reference)
  command.option(
    '--record-match [workload]',
    'apply the newest record file image that was published for the source, and for the workload if one is named',
  )
  command.option('--attach-record', 'also publish the record as a referrer of the converted image')
  command.option(
    '--no-interpreters',
    'do not place the interpreters of recorded programs after these; default: they are placed',
  )
  command.optionsGroup('Result:')
  command.option(...PLATFORMS_OPTION)
  command.option('--overwrite', 'move the target tag if it already points elsewhere; default: refuse')
  command.option('--keep-attestations', 'keep attestations, although they describe the unconverted images')
  command.option('--link', 'name the source as the subject of the result; both must be in one repository')
  command.addOption(
    new Option('--format <format>', 'the format of the layers; default: estargz').choices(valuesOf(format)),
  )
  command.addOption(
    new Option('--compression <method>', 'how layers are compressed; default: auto').choices(
      valuesOf(compression),
    ),
  )
  command.option(
    '--compression-level <level>',
    'for recompressed layers: zlib 0 to 9, default 6; zstd 1 to 22, default 3',
    count,
  )
  command.option(
    '--chunk-size <bytes>',
    'the maximum number of bytes of a file that are fetched and verified at once, 64KiB to 64MiB; default: 4MiB',
    size,
  )
  command.option(
    '--min-chunk-size <bytes>',
    'smaller files share a member until it holds this many bytes, up to 64MiB; default: 0, each has its own',
    size,
  )
  command.option('--external-toc', 'push the tables of contents as an image of their own, TAG-esgztoc')
  command.option('--keep-diff-id', 'keep the archives unchanged; needs --external-toc and excludes records')
  command.addOption(
    new Option(
      '--reader <reader>',
      'for --format zstd-chunked: who reads the image; default: stargz-snapshotter',
    ).choices(valuesOf(reader)),
  )
  return command.optionsGroup('Options:')
}

/** Returns `options`, `platforms` and `overwrite` of a request. */
export function requestParts(given: ConvertOptions) {
  return {
    ...(given.platform && { platforms: given.platform }),
    ...(given.overwrite && { overwrite: true }),
    options: {
      ...(given.attachRecord && { attachRecord: true }),
      ...(!given.interpreters && { interpreters: false }),
      ...(given.keepAttestations && { attestations: 'keep' as const }),
      ...(given.link && { link: 'subject' as const }),
      ...(given.compression && { compression: given.compression }),
      ...(given.compressionLevel !== undefined && { compressionLevel: given.compressionLevel }),
      ...(given.format && { format: given.format }),
      ...(given.chunkSize !== undefined && { chunkSize: given.chunkSize }),
      ...(given.minChunkSize !== undefined && { minChunkSize: given.minChunkSize }),
      ...(given.externalToc && { externalToc: true }),
      ...(given.keepDiffId && { keepDiffId: true }),
      ...(given.reader && { reader: given.reader }),
    },
  }
}

/** A record that a registry has. */
export type NamedRecord =
  | { readonly image: string }
  | { readonly copyFrom: string }
  | { readonly match: { readonly workload?: string } }

/** Returns the record that the options name, other than a file. @throws CommandError if they contradict each other */
export function namedRecord(
  { record, recordFormat, recordImage, recordCopy, recordMatch }: ConvertOptions,
  other?: { readonly option: string; readonly value: string | undefined },
): NamedRecord | undefined {
  const sources: readonly (readonly [string, unknown])[] = [
    ['--record', record],
    ...(other ? [[other.option, other.value] as const] : []),
    ['--record-image', recordImage],
    ['--record-copy', recordCopy],
    ['--record-match', recordMatch],
  ]
  if (sources.filter(([, value]) => value !== undefined).length > 1) {
    const names = sources.map(([name]) => name)
    throw new CommandError('usage', `give only one of ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`)
  }
  if (recordFormat !== undefined && record === undefined) {
    throw new CommandError('usage', '--record-format needs --record')
  }
  if (recordImage !== undefined) return { image: recordImage }
  if (recordCopy !== undefined) return { copyFrom: recordCopy }
  if (recordMatch !== undefined) return { match: recordMatch === true ? {} : { workload: recordMatch } }
  return undefined
}
