import { Command, InvalidArgumentError } from 'commander'
import { ConfigError, SETTINGS } from '../app/config.ts'
import { statusOfSignal } from '../app/stop-signals.ts'
import { VERSION } from '../app/version.ts'
import { isPlatformText } from '../oci/platform.ts'
import { parseHost, parseReference } from '../oci/reference.ts'
import { WRITTEN_FORMATS } from '../records/formats/write.ts'
import { RecordFormat } from '../records/model.ts'
import { MergeStrategy } from '../records/provenance.ts'
import { diffRecords, mergeRecords, retargetRecord } from './combine-records.ts'
import { Interrupted } from './errors.ts'
import { cat, convert, inspect, verify } from './images.ts'
import { evaluateRecord, listRecords, publishRecord, pushRecord, showRecord } from './records.ts'
import { retainRecords } from './retain-records.ts'

/** The formats that a record is printed in. */
const WRITTEN = Object.keys(WRITTEN_FORMATS)

/** The commands that run until they are told to stop. */
export type Roles = { readonly serve: () => Promise<void>; readonly work: () => Promise<void> }

/**
 * Runs the command that the arguments name. A failure is one line on standard error and status 1 (2 for wrong
 * arguments, 128 and the signal's number for a command that was told to stop).
 */
export async function runCommandLine(argv: readonly string[], roles: Roles): Promise<void> {
  try {
    await commands(roles).parseAsync(argv)
  } catch (error) {
    const { message, code } = error as { message: string; code?: unknown }
    const label = error instanceof ConfigError || typeof code !== 'string' ? '' : `${code}: `
    process.stderr.write(`record-broker: ${label}${message.replaceAll('\n', ' ')}\n`)
    process.exitCode = error instanceof Interrupted ? statusOfSignal(error.signal) : 1
  }
}

function commands({ serve, work }: Roles): Command {
  const program = new Command('record-broker')
    .description('Publishes start-up records of containers, and converts images to eStargz with them.')
    .showHelpAfterError('(record-broker COMMAND --help lists arguments)')
    .version(VERSION)
    .addHelpText('after', settingsText())
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  program.command('serve').description('answer HTTP, with a worker beside it').action(serve)
  program.command('worker').description('do the jobs of a broker on the same database').action(work)
  addImageCommands(program)
  addRecordCommands(program.command('record').description('work with the records of a broker'))
  return program
}

function settingsText(): string {
  const width = Math.max(...SETTINGS.map(({ name }) => name.length))
  const lines = SETTINGS.map(({ name, description }) => `  ${name.padEnd(width)}  ${description}`)
  return `\nSettings, from the environment or the file that RECORD_BROKER_CONFIG names:\n${lines.join('\n')}\n`
}

function addImageCommands(program: Command): void {
  const plainHttp = [
    '--plain-http <host>',
    'registry spoken to without TLS; can be given more than once',
  ] as const
  const platform = [
    '--platform <platform>',
    'os/architecture[/variant]; can be given more than once',
  ] as const
  program
    .command('convert')
    .description('convert an image to eStargz, registry to registry, in this process')
    .argument('<source>', 'image to convert', reference)
    .argument('<target>', 'where it goes, with a tag', reference)
    .option('--record <file>', 'what a profiler wrote; - is standard input')
    .option('--record-image <reference>', 'record file image', reference)
    .option('--record-copy <reference>', 'eStargz image whose prioritized files are taken over', reference)
    .option('--record-match [workload]', 'the record image that belongs to the source')
    .option('--attach-record', 'publish the record as a referrer of the converted image, too')
    .option(...platform, collect(platformText))
    .option('--overwrite', 'move the target tag when it stands for something else')
    .option('--keep-attestations', 'take attestations over, which describe the unconverted images')
    .option('--link', 'make the source the subject of the result, when both lie in one repository')
    .option('--compression <method>', 'auto, transcode, refine or recompress')
    .option(
      '--compression-level <level>',
      'where layers are recompressed: of zlib 0 to 9, of zstd 1 to 22',
      count,
    )
    .option('--format <format>', 'estargz or zstd-chunked')
    .option('--chunk-size <bytes>', 'the most bytes of a file that are read and verified at once', count)
    .option('--min-chunk-size <bytes>', 'smaller files share a member up to so many bytes', count)
    .option('--external-toc', 'tables of contents go into an image of their own, TAG-esgztoc')
    .option('--keep-diff-id', 'keep archives as they are; needs --external-toc and goes with no record')
    .option('--cache <file>', 'remember converted layers in this SQLite file, and use what it remembers')
    .option('--reader <reader>', 'of zstd-chunked: stargz-snapshotter or containers-storage')
    .option(...plainHttp, collect(host))
    .option('--json', 'print the whole report')
    .action(convert)
  program
    .command('inspect')
    .description('show what an image says of itself: eStargz layers, prioritized files')
    .argument('<reference>', 'image', reference)
    .option(...plainHttp, collect(host))
    .option('--json', 'print everything')
    .action(inspect)
  program
    .command('cat')
    .description('print a file of an eStargz or zstd:chunked image, reading and verifying nothing else of it')
    .argument('<reference>', 'image', reference)
    .argument('<path>', 'as a container would open it')
    .option(
      '--platform <platform>',
      'of an index: os/architecture[/variant]; default: the first',
      platformText,
    )
    .option(...plainHttp, collect(host))
    .action(cat)
  program
    .command('verify')
    .description('read an eStargz image whole and check every digest')
    .argument('<reference>', 'eStargz image', reference)
    .option('--source <reference>', 'the image it was made of: compares the files', reference)
    .option(...platform, collect(platformText))
    .option(...plainHttp, collect(host))
    .option('--json', 'print the whole report')
    .action(verify)
}

function addRecordCommands(record: Command): void {
  const server = ['--server <url>', 'the broker; default http://$RECORD_BROKER_LISTEN'] as const
  record
    .command('push')
    .description('upload a record')
    .argument('<file>', 'what a profiler wrote; - is standard input')
    .option('--image <reference>', 'the image that was profiled', reference)
    .option('--workload <name>', 'what ran in it')
    .option('--format <format>', `${RecordFormat.options.join(', ')}; default: found out`)
    .option('--working-directory <path>', 'where the profiled program started, for relative paths')
    .option('--root <path>', 'root of the container as the profiler saw it on its host, which is cut off')
    .option('--exclude <glob>', 'leaves paths out; can be given more than once', collect(String))
    .option('--label <key=value>', 'can be given more than once', collect(String))
    .option('--publish [reference]', 'publish it, too')
    .option(...server)
    .option('--json', 'print the whole answer')
    .action(pushRecord)
  record
    .command('publish')
    .description('publish an uploaded record as a record file image')
    .argument('<id>', 'id of the record')
    .argument('[reference]', 'where; default: beside its image in the backing registry', reference)
    .option('--overwrite', 'move the tag when it stands for something else')
    .option(...server)
    .option('--json', 'print the whole answer')
    .action(publishRecord)
  record
    .command('list')
    .description('list the uploaded records, newest first')
    .option('--image <reference>', 'of this image', reference)
    .option('--workload <name>', 'of this workload')
    .option('--label <key=value>', 'can be given more than once', collect(String))
    .option('--limit <count>', 'at most so many', '50')
    .option(...server)
    .option('--json', 'print the whole answer')
    .action(listRecords)
  record
    .command('evaluate')
    .description('say what an uploaded record is worth in an image, without converting it')
    .argument('<id>', 'id of the record')
    .argument('<image>', 'image, eStargz or not', reference)
    .option(
      '--platform <platform>',
      'os/architecture[/variant]; can be given more than once',
      collect(platformText),
    )
    .option(...server)
    .option('--json', 'print the whole answer')
    .action(evaluateRecord)
  record
    .command('merge')
    .description('put uploaded records together into a new one')
    .argument('<ids...>', 'ids of the records')
    .requiredOption('--strategy <strategy>', MergeStrategy.options.join(', '))
    .option('--threshold <share>', 'of frequency: the share of records that have a path', share)
    .option('--image <reference>', 'the image of the new record', reference)
    .option('--workload <name>', 'the workload of the new record')
    .option(...server)
    .option('--json', 'print the whole answer')
    .action(mergeRecords)
  record
    .command('diff')
    .description('compare two uploaded records')
    .argument('<a>', 'id of a record')
    .argument('<b>', 'id of another')
    .option(...server)
    .option('--json', 'print the whole answer')
    .action(diffRecords)
  record
    .command('retarget')
    .description('apply an uploaded record to another image, into a new record')
    .argument('<id>', 'id of the record')
    .argument('<image>', 'another version of the profiled image', reference)
    .option('--platform <platform>', 'os/architecture[/variant], of an index', platformText)
    .option('--workload <name>', 'the workload of the new record')
    .option(...server)
    .option('--json', 'print the whole answer')
    .action(retargetRecord)
  record
    .command('retain')
    .description('remove old records and record images; without --plan it shows what would go')
    .option('--keep-newest <count>', 'of each image and workload so many are kept, the newest', count)
    .option('--max-age-days <days>', 'what is younger is kept', count)
    .option('--no-published', 'published records are not kept in any case')
    .option('--record-images', 'also in the backing registry')
    .option('--plan <digest>', 'remove what the dry run with this plan named')
    .option(...server)
    .option('--json', 'print the whole answer')
    .action(retainRecords)
  record
    .command('show')
    .description('show an uploaded record')
    .argument('<id>', 'id of the record')
    .option('--content [format]', `print its entries, as ${WRITTEN.join(', ')}; default: ${WRITTEN[0]}`)
    .option(...server)
    .option('--json', 'print the whole answer')
    .action(showRecord)
}

function checked<T>(text: string, parse: (text: string) => T): T {
  try {
    return parse(text)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

function reference(text: string): string {
  checked(text, parseReference)
  return text
}

function host(text: string): string {
  return checked(text, parseHost)
}

function platformText(text: string): string {
  if (!isPlatformText(text)) throw new InvalidArgumentError('expected os/architecture[/variant]')
  return text
}

function count(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError('expected a whole number')
  return Number(text)
}

function share(text: string): number {
  if (!/^(0?\.\d+|1(\.0+)?)$/.test(text)) throw new InvalidArgumentError('expected a number above 0, up to 1')
  return Number(text)
}

function collect(parse: (text: string) => string): (text: string, before?: string[]) => string[] {
  return (text, before = []) => [...before, parse(text)]
}
