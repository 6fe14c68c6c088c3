import type { Command } from 'commander'
import type { ResponseDocument } from '../../client/broker-request.ts'
import { collect, label } from '../arguments.ts'
import { listItems, listText } from '../broker/list-items.ts'
import { addLimitOption, addPeriodOptions } from '../broker/list-options.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { printConversions } from '../conversions/print-conversion.ts'
import { describeCommand } from '../help/describe-command.ts'
import { addStateAndLabelOptions, type FilterOptions, filterQuery, labelsOf } from '../jobs/job-options.ts'
import { createdText } from '../jobs/watch-job.ts'
import { print } from '../print.ts'
import { readBatchFile } from './batch-file.ts'
import { watchBatch } from './watch-batch.ts'

const STATES = ['running', 'succeeded', 'failed'] as const
type Batch = ResponseDocument<'get', '/v1/conversion-batches/{id}'>

/** Adds `batch create`, `list`, `show`, `watch` and `cancel`. */
export function addBatchCommands(program: Command): void {
  const batch = program.command('batch').description('convert many images as one batch')
  describeCommand(
    addBrokerOptions(
      batch
        .command('create')
        .description('convert up to 1000 images: all conversions of a file are accepted, or none')
        .argument('<file>', 'lines of SOURCE TARGET, or JSON as the API takes it; - reads standard input')
        .option(
          '--label <key=value>',
          'a label of each conversion; can be given more than once',
          collect(label),
        )
        .option('--overwrite', 'move target tags that point elsewhere, for lines; default: refuse')
        .option('--wait', 'wait until all conversions have finished; default: print the id of the batch'),
    ).action(createBatch),
    {
      examples: [
        ['batch create images.txt --label release=2026-01 --wait', 'convert all images of a release'],
        ['batch create batch.json', 'with `{"conversions": [{"source": …, "target": …}]}`'],
      ],
      settings: ['commands'],
    },
  )
  const list = batch.command('list').description('list batches, newest first')
  addStateAndLabelOptions(list, 'batches', STATES)
  addPeriodOptions(list, 'only those created')
  addBrokerOptions(addLimitOption(list, 'batches')).action(listBatches)
  addBrokerOptions(
    batch.command('show').description('show the state of a batch').argument('<id>', 'id of the batch'),
  ).action(showBatch)
  const conversions = batch
    .command('conversions')
    .description('list the conversions of a batch, in the order of the request')
    .argument('<id>', 'id of the batch')
  addBrokerOptions(addLimitOption(conversions, 'conversions')).action(listBatchConversions)
  addBrokerOptions(
    batch
      .command('watch')
      .description('show the progress of a batch until all of its conversions have finished')
      .argument('<id>', 'id of the batch'),
  ).action(watch)
  addBrokerOptions(
    batch
      .command('cancel')
      .description('cancel the conversions of a batch that have not finished')
      .argument('<id>', 'id of the batch'),
  ).action(cancelBatch)
}

async function createBatch(
  path: string,
  options: BrokerOptions & {
    readonly label?: string[]
    readonly overwrite?: boolean
    readonly wait?: boolean
  },
  command: Command,
): Promise<void> {
  const { label: labels, overwrite = false, wait } = options
  const { conversions, labels: fileLabels } = await readBatchFile(path, overwrite)
  const allLabels = { ...fileLabels, ...(labels && labelsOf(labels)) }
  const body = { conversions, ...(Object.keys(allLabels).length > 0 && { labels: allLabels }) }
  const batch = await withBroker(
    command,
    async (context) => {
      const created = await context.client.post('/v1/conversion-batches', {
        body: body as never,
        signal: context.signal,
      })
      if (!wait) return created
      context.whenFailed(createdText('batch', created.id))
      return watchBatch(context, created.id)
    },
    { file: path },
  )
  printBatch(options, batch)
  if (wait && batch.state !== 'succeeded') process.exitCode = 1
}

async function listBatches(
  options: BrokerOptions & FilterOptions & { readonly limit: number },
  command: Command,
): Promise<void> {
  const { limit } = options
  const query = filterQuery(options)
  const list = await withBroker(command, ({ client, signal }) =>
    listItems(client, '/v1/conversion-batches', { limit, query, signal }),
  )
  print(options, list, {
    text: (result) => listText(result, batchText),
    names: ({ items }) => items.map(({ id }) => id),
  })
}

async function showBatch(id: string, options: BrokerOptions, command: Command): Promise<void> {
  const batch = await withBroker(command, ({ client, signal }) =>
    client.get('/v1/conversion-batches/{id}', { params: { path: { id } }, signal }),
  )
  printBatch(options, batch)
}

async function listBatchConversions(
  id: string,
  options: BrokerOptions & { readonly limit: number },
  command: Command,
): Promise<void> {
  const { limit } = options
  const list = await withBroker(command, ({ client, signal }) =>
    listItems(client, '/v1/conversion-batches/{id}/conversions', { limit, params: { id }, signal }),
  )
  printConversions(options, list)
}

async function watch(id: string, options: BrokerOptions, command: Command): Promise<void> {
  const batch = await withBroker(command, (context) => watchBatch(context, id))
  printBatch(options, batch)
  if (batch.state !== 'succeeded') process.exitCode = 1
}

async function cancelBatch(id: string, options: BrokerOptions, command: Command): Promise<void> {
  const batch = await withBroker(command, ({ client, signal }) =>
    client.post('/v1/conversion-batches/{id}/cancel', { params: { path: { id } }, signal }),
  )
  printBatch(options, batch)
}

function printBatch(options: BrokerOptions, batch: Batch): void {
  print(options, batch, { text: batchText, names: ({ id }) => id })
}

/** Describes a batch for people. */
function batchText({ id, state, counts, labels, createdAt }: Batch): string {
  const numbers = Object.entries(counts).flatMap(([name, count]) => (count === 0 ? [] : [`${count} ${name}`]))
  const texts = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
  return `${[id, state, createdAt, ...texts].join(' ')}\n  ${numbers.join(', ')}\n`
}
