import type { Command } from 'commander'
import { reference } from '../arguments.ts'
import { listItems, listText } from '../broker/list-items.ts'
import { addLimitOption, addPeriodOptions } from '../broker/list-options.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { describeCommand } from '../help/describe-command.ts'
import { print } from '../print.ts'
import { exactName } from '../text/exact-name.ts'
import { countText } from '../text/quantities.ts'
import { addCatalogueOptions, type CatalogueOptions, catalogueQuery } from './catalogue-options.ts'

type RecordImage = {
  readonly reference: string
  readonly digest: string
  readonly createdAt?: string | undefined
  readonly image?: string | undefined
  readonly workload?: string | undefined
  readonly entryCount?: number | undefined
  readonly match?: string | undefined
}
type ListOptions = BrokerOptions & CatalogueOptions & { readonly workload?: string }

/** Adds `record-image list` and `record-image show`. */
export function addRecordImageCommands(program: Command): void {
  const recordImage = program.command('record-image').description('find record file images with a broker')
  const list = recordImage
    .command('list')
    .description('list record file images, newest first')
    .option('--image <reference>', 'those that belong to this image, the best match first')
    .option('--workload <name>', 'those of this workload')
  addPeriodOptions(list, 'those created')
  addCatalogueOptions(list)
  describeCommand(addBrokerOptions(addLimitOption(list, 'record images')).action(listRecordImages), {
    examples: [
      ['record-image list --image registry.example/team/app:1.0', 'which records there are for an image'],
    ],
    settings: ['commands'],
  })
  addBrokerOptions(
    recordImage
      .command('show')
      .description('show a record file image with its entries')
      .argument('<reference>', 'the record file image', reference),
  ).action(showRecordImage)
}

async function listRecordImages(options: ListOptions, command: Command): Promise<void> {
  const { workload, since, until, limit } = options
  const query = {
    ...catalogueQuery(options),
    ...(workload && { workload }),
    ...(since && { createdFrom: since }),
    ...(until && { createdBefore: until }),
  }
  const list = await withBroker(command, ({ client, signal }) =>
    listItems(client, '/v1/record-images', { limit, query, signal }),
  )
  print(options, list, {
    text: (result) => listText(result, recordImageText),
    names: ({ items }) => items.map((item) => item.reference),
  })
}

async function showRecordImage(name: string, options: BrokerOptions, command: Command): Promise<void> {
  const recordImage = await withBroker(command, ({ client, signal }) =>
    client.get('/v1/record-images/{reference}', { params: { path: { reference: name } }, signal }),
  )
  print(options, recordImage, {
    text: (result) =>
      recordImageText({ ...result, entryCount: result.entries.length }) +
      result.entries.map(({ path }) => `  ${path}\n`).join(''),
    names: ({ reference: shown }) => shown,
  })
}

function recordImageText(item: RecordImage): string {
  const { image, workload, entryCount, match, createdAt } = item
  const facts = [
    createdAt,
    entryCount === undefined ? undefined : countText(entryCount, 'entry', 'entries'),
    image,
    workload,
    match === undefined ? undefined : `matched by ${match}`,
  ]
  return `${exactName(item)}\n  ${facts.filter(Boolean).join(' ')}\n`
}
