import type { Command } from 'commander'
import { reference } from '../arguments.ts'
import { listItems } from '../broker/list-items.ts'
import { addLimitOption } from '../broker/list-options.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { describeCommand } from '../help/describe-command.ts'
import { addEndCommands } from '../jobs/end-jobs.ts'
import { addFilterOptions, type FilterOptions, filterQuery } from '../jobs/job-options.ts'
import { addSeriesCommand } from '../jobs/series.ts'
import { watchJob } from '../jobs/watch-job.ts'
import { addCreateCommand } from './create-conversion.ts'
import { printConversion, printConversions } from './print-conversion.ts'

/** Adds `conversion create`, `list`, `show`, `watch`, `cancel` and `retry`. */
export function addConversionCommands(program: Command): void {
  const conversion = program.command('conversion').description('convert images with a broker')
  addCreateCommand(conversion)
  const list = conversion.command('list').description('list conversions, newest first')
  addFilterOptions(list, 'conversions')
  list
    .option('--source <reference>', 'only conversions of this image', reference)
    .option('--target <reference>', 'only conversions to this reference', reference)
  addLimitOption(list, 'conversions')
  describeCommand(addBrokerOptions(list).action(listConversions), {
    examples: [
      ['conversion list --state failed --since 24h', 'what failed in the last day'],
      ['conversion list --label pipeline=4711 --limit 0 --quiet', 'the ids of all conversions of a pipeline'],
    ],
    settings: ['commands'],
  })
  addBrokerOptions(
    conversion
      .command('show')
      .description('show a conversion with its attempts, and its report if it has succeeded')
      .argument('<id>', 'id of the conversion'),
  ).action(showConversion)
  describeCommand(
    addBrokerOptions(
      conversion
        .command('watch')
        .description('show the progress of a conversion until it has finished')
        .argument('<id>', 'id of the conversion'),
    ).action(watchConversion),
    {
      examples: [['conversion watch ID', 'Ctrl-C ends the command; the conversion goes on']],
      settings: ['commands'],
    },
  )
  addEndCommands(conversion, 'conversion', endConversion)
  addSeriesCommand(conversion, 'conversion')
}

async function listConversions(
  options: BrokerOptions &
    FilterOptions & { readonly source?: string; readonly target?: string; readonly limit: number },
  command: Command,
): Promise<void> {
  const { source, target, limit } = options
  const query = { ...filterQuery(options), ...(source && { source }), ...(target && { target }) }
  const list = await withBroker(command, ({ client, signal }) =>
    listItems(client, '/v1/conversions', { limit, query, signal }),
  )
  printConversions(options, list)
}

async function showConversion(id: string, options: BrokerOptions, command: Command): Promise<void> {
  const conversion = await withBroker(command, ({ client, signal }) =>
    client.get('/v1/conversions/{id}', { params: { path: { id } }, signal }),
  )
  printConversion(options, conversion)
}

async function watchConversion(id: string, options: BrokerOptions, command: Command): Promise<void> {
  const conversion = await withBroker(command, async (context) => {
    const { client, signal } = context
    const { target } = await client.get('/v1/conversions/{id}', { params: { path: { id } }, signal })
    return watchJob(context, { kind: 'conversion', id, title: target })
  })
  printConversion(options, conversion)
  if (conversion.state !== 'succeeded') process.exitCode = 1
}

async function endConversion(
  action: 'cancel' | 'retry',
  id: string,
  options: BrokerOptions,
  command: Command,
): Promise<void> {
  const conversion = await withBroker(command, ({ client, signal }) =>
    client.post(`/v1/conversions/{id}/${action}`, { params: { path: { id } }, signal }),
  )
  printConversion(options, conversion)
}
