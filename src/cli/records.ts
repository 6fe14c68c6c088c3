import { Readable } from 'node:stream'
import type { Command } from 'commander'
import type { RecordEvaluation } from '../records/evaluation.ts'
import { WRITTEN_FORMATS } from '../records/formats/write-record.ts'
import { RecordFormat } from '../records/model.ts'
import { collect, platform, reference } from './arguments.ts'
import {
  type BrokerOptions,
  get,
  JSON_OPTION,
  post,
  postBody,
  queryOf,
  SERVER_OPTION,
  send,
} from './broker-client.ts'
import { print } from './print.ts'
import { openProfile } from './profile-file.ts'
import { type RecordView, recordText } from './record-text.ts'
import { evaluationText } from './report-text.ts'

/** The formats in which a record can be printed. */
const CONTENT_FORMATS = Object.keys(WRITTEN_FORMATS)

/** Adds `record push`, `publish`, `list`, `show` and `evaluate`. */
export function addRecordCommands(record: Command): void {
  record
    .command('push')
    .description('upload the output of a profiler')
    .argument('<file>', 'the output; - reads standard input')
    .option('--image <reference>', 'the profiled image', reference)
    .option('--workload <name>', 'the profiled workload')
    .option('--format <format>', `${RecordFormat.options.join(', ')}; default: detected`)
    .option('--working-directory <path>', 'the working directory of the profiled program, for relative paths')
    .option('--root <path>', "the container's root on the profiled host, removed from every path")
    .option('--exclude <glob>', 'paths to leave out; can be given more than once', collect(String))
    .option('--label <key=value>', 'a label of the record; can be given more than once', collect(String))
    .option('--publish [reference]', 'publish the record as a record file image, too')
    .option(...SERVER_OPTION)
    .option(...JSON_OPTION)
    .action(pushRecord)
  record
    .command('publish')
    .description('publish an uploaded record as a record file image')
    .argument('<id>', 'id of the record')
    .argument('[reference]', "where to; default: the record's repository in the backing registry", reference)
    .option('--overwrite', 'move the tag if it already points elsewhere')
    .option(...SERVER_OPTION)
    .option(...JSON_OPTION)
    .action(publishRecord)
  record
    .command('list')
    .description('list the uploaded records, newest first')
    .option('--image <reference>', 'records of this image', reference)
    .option('--workload <name>', 'records of this workload')
    .option('--label <key=value>', 'records with this label; can be given more than once', collect(String))
    .option('--limit <count>', 'the maximum number of records', '50')
    .option(...SERVER_OPTION)
    .option(...JSON_OPTION)
    .action(listRecords)
  record
    .command('evaluate')
    .description('estimate what an uploaded record is worth for an image, without converting the image')
    .argument('<id>', 'id of the record')
    .argument('<image>', 'the image, in eStargz or any other format', reference)
    .option(
      '--platform <platform>',
      'os/architecture[/variant]; can be given more than once',
      collect(platform),
    )
    .option(...SERVER_OPTION)
    .option(...JSON_OPTION)
    .action(evaluateRecord)
  record
    .command('show')
    .description('show an uploaded record')
    .argument('<id>', 'id of the record')
    .option(
      '--content [format]',
      `print its entries as ${CONTENT_FORMATS.join(', ')}; default: ${CONTENT_FORMATS[0]}`,
    )
    .option(...SERVER_OPTION)
    .option(...JSON_OPTION)
    .action(showRecord)
}

async function pushRecord(
  path: string,
  options: BrokerOptions & {
    readonly image?: string
    readonly workload?: string
    readonly format?: string
    readonly workingDirectory?: string
    readonly root?: string
    readonly exclude?: string[]
    readonly label?: string[]
    readonly publish?: string | true
  },
): Promise<void> {
  const { image, workload, format, workingDirectory, root, exclude, label, publish } = options
  const query = queryOf({
    image,
    workload,
    format,
    workingDirectory,
    root,
    exclude,
    label,
    publish: publish === true ? 'true' : publish,
  })
  const { bytes, encoding } = await openProfile(path)
  const body = { body: Readable.from(bytes), type: 'text/plain', encoding }
  print(options, await postBody<RecordView>(options, `/v1/records${query}`, body), recordText)
}

type Publication = RecordView['publications'][number]

async function publishRecord(
  id: string,
  reference: string | undefined,
  options: BrokerOptions & { readonly overwrite?: boolean },
): Promise<void> {
  const { overwrite } = options
  const path = `/v1/records/${encodeURIComponent(id)}/publications`
  const publication = await post<Publication>(options, path, { reference, overwrite })
  print(options, publication, ({ reference, digest }) => `${reference}@${digest}\n`)
}

async function listRecords(
  options: BrokerOptions & {
    readonly image?: string
    readonly workload?: string
    readonly label?: string[]
    readonly limit: string
  },
): Promise<void> {
  const { image, workload, label, limit } = options
  const path = `/v1/records${queryOf({ image, workload, label, limit })}`
  print(options, await get<{ items: RecordView[] }>(options, path), ({ items }) =>
    items.map(recordText).join(''),
  )
}

async function evaluateRecord(
  id: string,
  image: string,
  options: BrokerOptions & { readonly platform?: string[] },
): Promise<void> {
  const path = `/v1/records/${encodeURIComponent(id)}/evaluations`
  const request = { image, platforms: options.platform }
  print(options, await post<RecordEvaluation>(options, path, request), evaluationText)
}

async function showRecord(
  id: string,
  options: BrokerOptions & { readonly content?: true | string },
): Promise<void> {
  const path = `/v1/records/${encodeURIComponent(id)}`
  const { content } = options
  if (content === undefined) print(options, await get<RecordView>(options, path), recordText)
  else {
    const query = queryOf({ format: content === true ? undefined : content })
    process.stdout.write(await send(options, 'GET', `${path}/content${query}`))
  }
}
