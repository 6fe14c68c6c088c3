import type { Command } from 'commander'
import type { z } from 'zod'
import { loadConfig } from '../../app/config/config.ts'
import { decodeContent } from '../../bytes/content-encoding.ts'
import type { ConversionProgress } from '../../conversion/report.ts'
import { ConversionRequest } from '../../conversion/request.ts'
import type { ConversionCache } from '../../conversion/reuse/conversion-cache.ts'
import { runConversion } from '../../conversion/run.ts'
import type { ConversionServices } from '../../conversion/services.ts'
import { parseReference } from '../../oci/reference.ts'
import { readRecord } from '../../records/formats/read-record.ts'
import { RecordFinder } from '../../records/images/record-finder.ts'
import type { RecordEntry, RecordFormat } from '../../records/model.ts'
import { reference, target as targetReference } from '../arguments.ts'
import {
  addConvertOptions,
  type ConvertOptions,
  namedRecord,
  requestParts,
} from '../conversions/conversion-options.ts'
import { conversionProgressView } from '../conversions/conversion-view.ts'
import { CommandError } from '../failures/errors.ts'
import { invalidFieldsText } from '../failures/field-names.ts'
import { fileFailure } from '../failures/file-failure.ts'
import { describeCommand } from '../help/describe-command.ts'
import { print } from '../print.ts'
import { openProfile } from '../records/profile-file.ts'
import type { Progress } from '../terminal/progress.ts'
import { conversionText } from '../text/report-text.ts'
import { addLocalOptions, type LocalOptions, withServices } from './local-images.ts'

type LocalConvertOptions = ConvertOptions & LocalOptions & { readonly cache?: string }

/** Adds `convert`. */
export function addConvertCommand(program: Command): void {
  const command = program
    .command('convert')
    .description('convert an image to eStargz, registry to registry, in this process')
    .argument('<source>', 'the image to convert', reference)
    .argument('<target>', 'where to push the result, with a tag', targetReference)
  addConvertOptions(command).option(
    '--cache <file>',
    'reuse converted layers, remembered in this SQLite file; default: convert everything',
  )
  describeCommand(addLocalOptions(command).action(convert), {
    examples: [
      ['convert r.example/app:1 r.example/app:1-esgz --record opened.txt', 'place the recorded files first'],
      [
        'convert r.example/app:1 r.example/app:1-esgz --record-match',
        'with the record that was published for app:1',
      ],
      [
        'convert r.example/app:1 r.example/app:1-zstd --format zstd-chunked --reader containers-storage',
        'for podman and CRI-O',
      ],
      ['convert 127.0.0.1:5000/app:1 127.0.0.1:5000/app:1-esgz --json > report.json', 'keep the report'],
    ],
    settings: ['registries', 'conversions', 'bounds of records', 'bounds of images'],
  })
}

/** Converts an image in this process, with the code that jobs run. */
async function convert(
  source: string,
  target: string,
  options: LocalConvertOptions,
  command: Command,
): Promise<void> {
  const named = namedRecord(options)
  const references = [source, target, options.recordImage, options.recordCopy]
  const report = await withServices(references, options, async (services, signal, progress) => {
    const inline =
      options.record === undefined
        ? undefined
        : await readRecordFile(options.record, options.recordFormat, progress)
    const record = inline ? { inline } : named
    const parts = { source, target, ...(record && { record }), ...requestParts(options) }
    const request = ConversionRequest.safeParse(parts, { error: boundText })
    if (!request.success) {
      const fields = request.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }))
      throw new CommandError('usage', invalidFieldsText(fields, command))
    }
    await using cache = await openCache(options.cache)
    let current: ConversionProgress = { phase: 'resolving', layers: [] }
    progress.follow(() => conversionProgressView(target, current))
    const onProgress = (latest: ConversionProgress) => {
      current = latest
    }
    return runConversion(
      request.data,
      { ...services, recordFinder: finderFor(source, services), cache: cache?.cache },
      { signal, onProgress },
    )
  })
  print(options, report, {
    text: conversionText,
    names: ({ target: pushed, digest }) => `${pushed}@${digest}`,
  })
}

/** Describes a number that is out of its bounds, as the API does. */
function boundText(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'too_small') return `expected at least ${issue.minimum}`
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}`
  return undefined
}

async function readRecordFile(
  path: string,
  format: RecordFormat | undefined,
  progress: Progress,
): Promise<RecordEntry[]> {
  const { bytes, encoding } = await openProfile(path)
  const source = encoding === undefined ? bytes : decodeContent(bytes, encoding)
  try {
    const { entries, notes } = await readRecord(source, {
      ...loadConfig().bounds.record,
      ...(format && { format }),
    })
    for (const warning of notes.warnings ?? []) progress.note(`${path}: ${warning}`)
    return entries
  } catch (error) {
    throw fileFailure(path, error)
  }
}

async function openCache(
  file: string | undefined,
): Promise<({ cache: ConversionCache | undefined } & AsyncDisposable) | undefined> {
  if (file === undefined) return undefined
  // Loaded on demand: most conversions need no database.
  const { openDatabase } = await import('../../db/open-database.ts')
  const { createDatabaseCache } = await import('../../cache/database-cache.ts')
  const { ProjectScope } = await import('../../db/project-scope.ts')
  const { cacheLayers: layers, cacheImages: images } = loadConfig()
  const database = await openDatabase(`sqlite:${file}`).catch((error: unknown) => {
    throw fileFailure(file, error)
  })
  return {
    cache: createDatabaseCache(database, { layers, images })?.in(ProjectScope.ALL),
    [Symbol.asyncDispose]: () => database.close(),
  }
}

/** Without a configured backing registry, record images are searched in the registry of the source. */
function finderFor(source: string, { registries, recordFinder }: ConversionServices): RecordFinder {
  if (loadConfig().backingRegistry) return recordFinder
  const backing = { host: parseReference(source).host, prefix: '' }
  return new RecordFinder({ openRepository: (name) => registries.repository(name), backing })
}
