import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Command, Option } from 'commander'
import { WRITTEN_FORMATS } from '../../records/formats/write-record.ts'
import { collect, label, PLATFORMS_OPTION, reference } from '../arguments.ts'
import { listItems, listText } from '../broker/list-items.ts'
import { addLimitOption, addPeriodOptions, type PeriodOptions } from '../broker/list-options.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { addCaptureCommand } from '../capture/capture.ts'
import { describeCommand } from '../help/describe-command.ts'
import { print } from '../print.ts'
import { exactName } from '../text/exact-name.ts'
import { recordText } from '../text/record-text.ts'
import { evaluationText } from '../text/report-text.ts'
import { printRecord } from './print-record.ts'
import { addPushCommand } from './push-record.ts'

/** The formats in which a record can be printed. */
const CONTENT_FORMATS = Object.keys(WRITTEN_FORMATS) as (keyof typeof WRITTEN_FORMATS)[]

/** Adds `record push`, `publish`, `list`, `show`, `evaluate` and `delete`. */
export function addRecordCommands(record: Command): void {
  addCaptureCommand(record)
  addPushCommand(record)
  describeCommand(
    addBrokerOptions(
      record
        .command('publish')
        .description('publish an uploaded record as a record file image')
        .argument('<id>', 'id of the record')
        .argument(
          '[reference]',
          "where to; default: the record's repository in the backing registry",
          reference,
        )
        .option('--attach-to <reference>', 'make it a referrer of this image', reference)
        .option('--overwrite', 'move the tag if it already points elsewhere; default: refuse'),
    ).action(publishRecord),
    {
      examples: [['record publish ID', 'push it as <repository>:record-<tag>-<workload>']],
      settings: ['commands'],
    },
  )
  const list = record
    .command('list')
    .description('list the uploaded records, newest first')
    .option('--image <reference>', 'records of this image', reference)
    .option('--workload <name>', 'records of this workload')
    .option('--label <key=value>', 'records with this label; can be given more than once', collect(label))
  addPeriodOptions(list, 'those uploaded')
  describeCommand(addBrokerOptions(addLimitOption(list, 'records')).action(listRecords), {
    examples: [['record list --workload serve --since 7d', 'those of the last week']],
    settings: ['commands'],
  })
  describeCommand(
    addBrokerOptions(
      record
        .command('evaluate')
        .description('estimate what an uploaded record is worth for an image, without converting the image')
        .argument('<id>', 'id of the record')
        .argument('<image>', 'the image, in eStargz or any other format', reference)
        .option(...PLATFORMS_OPTION),
    ).action(evaluateRecord),
    {
      examples: [['record evaluate ID registry.example/team/app:1.1', 'for the next version of the image']],
      settings: ['commands'],
    },
  )
  describeCommand(
    addBrokerOptions(
      record
        .command('show')
        .description('show an uploaded record')
        .argument('<id>', 'id of the record')
        .addOption(
          new Option(
            '--content [format]',
            `print its entries in a format; default: ${CONTENT_FORMATS[0]}`,
          ).choices(CONTENT_FORMATS),
        ),
    ).action(showRecord),
    {
      examples: [['record show ID --content soci > files.json', 'for another tool']],
      settings: ['commands'],
    },
  )
  addBrokerOptions(
    record.command('delete').description('delete an uploaded record').argument('<id>', 'id of the record'),
  ).action(deleteRecord)
}

async function publishRecord(
  id: string,
  image: string | undefined,
  options: BrokerOptions & { readonly overwrite?: boolean; readonly attachTo?: string },
  command: Command,
): Promise<void> {
  const { overwrite, attachTo } = options
  const body = {
    ...(image !== undefined && { reference: image }),
    ...(attachTo !== undefined && { attachTo }),
    ...(overwrite && { overwrite: true }),
  }
  const publication = await withBroker(command, ({ client, signal }) =>
    client.post('/v1/records/{id}/publications', { params: { path: { id } }, body, signal }),
  )
  print(options, publication, { text: (result) => `${exactName(result)}\n`, names: exactName })
}

async function listRecords(
  options: BrokerOptions &
    PeriodOptions & {
      readonly image?: string
      readonly workload?: string
      readonly label?: string[]
      readonly limit: number
    },
  command: Command,
): Promise<void> {
  const { image, workload, label: labels, since, until, limit } = options
  const query = {
    ...(image && { image }),
    ...(workload && { workload }),
    ...(labels && { label: labels }),
    ...(since && { createdFrom: since }),
    ...(until && { createdBefore: until }),
  }
  const list = await withBroker(command, ({ client, signal }) =>
    listItems(client, '/v1/records', { limit, query, signal }),
  )
  print(options, list, {
    text: (result) => listText(result, recordText),
    names: ({ items }) => items.map(({ id }) => id),
  })
}

async function evaluateRecord(
  id: string,
  image: string,
  options: BrokerOptions & { readonly platform?: string[] },
  command: Command,
): Promise<void> {
  const { platform: platforms } = options
  const body = { image, ...(platforms && { platforms }) }
  const evaluation = await withBroker(command, ({ client, signal }) =>
    client.post('/v1/records/{id}/evaluations', { params: { path: { id } }, body, signal }),
  )
  print(options, evaluation, {
    text: evaluationText,
    names: ({ image: evaluated }) => evaluated,
  })
}

async function showRecord(
  id: string,
  options: BrokerOptions & { readonly content?: true | (typeof CONTENT_FORMATS)[number] },
  command: Command,
): Promise<void> {
  const { content } = options
  const params = { path: { id } }
  if (content === undefined) {
    const record = await withBroker(command, ({ client, signal }) =>
      client.get('/v1/records/{id}', { params, signal }),
    )
    printRecord(options, record)
    return
  }
  const query = content === true ? {} : { format: content }
  await withBroker(command, async ({ client, progress, signal }) => {
    const { body } = await client.open('/v1/records/{id}/content', { params: { ...params, query }, signal })
    progress[Symbol.dispose]()
    if (body) await pipeline(Readable.fromWeb(body as never), process.stdout, { end: false, signal })
  })
}

async function deleteRecord(id: string, options: BrokerOptions, command: Command): Promise<void> {
  await withBroker(command, ({ client, signal }) =>
    client.delete('/v1/records/{id}', { params: { path: { id } }, signal }),
  )
  print(options, { id }, { text: () => `record ${id} was deleted\n`, names: () => id })
}
