import { once } from 'node:events'
import { type Command, Option } from 'commander'
import { AUDIT_OUTCOMES } from '../../access/audit/audit-entry.ts'
import { type ItemOf, pages } from '../../client/pages.ts'
import { projectName } from '../arguments.ts'
import { listItems, listText } from '../broker/list-items.ts'
import { addLimitOption, addPeriodOptions, type PeriodOptions } from '../broker/list-options.ts'
import {
  addServerOptions,
  type BrokerContext,
  type BrokerOptions,
  withBroker,
} from '../broker/with-broker.ts'
import { describeCommand } from '../help/describe-command.ts'
import { print } from '../print.ts'

type Entry = ItemOf<'/v1/audit'>

/** The largest page of the broker. */
const PAGE_SIZE = 500

type FilterOptions = BrokerOptions &
  PeriodOptions & {
    readonly caller?: string
    readonly action?: string
    readonly outcome?: (typeof AUDIT_OUTCOMES)[number]
    readonly repository?: string
  }
type ListOptions = FilterOptions & { readonly limit: number }
type ExportOptions = FilterOptions & { readonly after?: string }

/** Adds `audit list` and `audit export`. */
export function addAuditCommands(program: Command): void {
  const audit = program
    .command('audit')
    .description('read who changed what, and what was refused, as an administrator')
  const list = addFilterOptions(audit.command('list').description('list events, newest first'))
  describeCommand(addServerOptions(addLimitOption(list, 'events')).action(listEvents), {
    examples: [
      ['audit list --outcome denied --since 1d', 'what was refused since yesterday'],
      ['audit list --project team-a --repository embedded/team-a/app', 'who pushed to a repository'],
    ],
    settings: ['commands'],
  })
  const lines = addFilterOptions(
    audit
      .command('export')
      .description('print all events of a period as JSON, one document a line, newest first')
      .option('--after <id>', 'continue after the last line of an earlier export'),
  )
  describeCommand(addServerOptions(lines).action(exportEvents), {
    examples: [
      ['audit export --since 2026-01-01 --until 2026-02-01 > audit.jsonl', 'keep the events of a month'],
    ],
    settings: ['commands'],
  })
}

function addFilterOptions(command: Command): Command {
  return addPeriodOptions(command, 'only those')
    .option(
      '--project <name>',
      'only events of this project, also of one that was deleted; default: RECORD_BROKER_PROJECT, or all',
      projectName,
    )
    .option('--caller <subject>', 'only events of this caller: the name of a token, the subject of a login')
    .option('--action <operation>', 'only this operation, such as createToken or pushManifest')
    .option(
      '--repository <name>',
      'only events of this repository, as host/repository; the host may be embedded',
    )
    .addOption(new Option('--outcome <outcome>', 'only events that ended like this').choices(AUDIT_OUTCOMES))
}

/** The project is a filter: working in one would hide the events of those that were deleted. */
const USE = { isInProject: false }

function queryOf(
  { since, until, caller, action, outcome, repository }: FilterOptions,
  { project }: Pick<BrokerContext, 'project'>,
) {
  return {
    ...(project !== undefined && { project }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(caller !== undefined && { subject: caller }),
    ...(action !== undefined && { action }),
    ...(outcome !== undefined && { outcome }),
    ...(repository !== undefined && { repository }),
  }
}

async function listEvents(options: ListOptions, command: Command): Promise<void> {
  const { limit } = options
  const list = await withBroker(
    command,
    ({ client, project, signal }) =>
      listItems(client, '/v1/audit', { limit, query: queryOf(options, { project }), signal }),
    USE,
  )
  print(options, list, {
    text: (events) => listText(events, entryText),
    names: ({ items }) => items.map(({ id }) => id),
  })
}

async function exportEvents(options: ExportOptions, command: Command): Promise<void> {
  const { after } = options
  const exportAll = async ({ client, project, progress, signal }: BrokerContext) => {
    // Events are the output: there is nothing to show beside them.
    progress[Symbol.dispose]()
    const query = {
      ...queryOf(options, { project }),
      limit: PAGE_SIZE,
      ...(after !== undefined && { cursor: after }),
    }
    for await (const entry of pages(client, '/v1/audit', { params: { query }, signal })) {
      const isWritten = process.stdout.write(`${JSON.stringify(entry)}\n`)
      if (!isWritten) await once(process.stdout, 'drain')
    }
  }
  await withBroker(command, exportAll, USE)
}

function entryText(entry: Entry): string {
  const { at, caller, project, action, repository, resource, outcome, status, code, address, count } = entry
  const who = [caller.kind, caller.subject].filter(Boolean).join(' ')
  const what = [action, repository, resource].filter(Boolean).join(' ')
  const how = [outcome, status, code, count > 1 ? `${count} times` : undefined].filter(Boolean).join(' ')
  const where = [project && `in ${project}`, address && `from ${address}`].filter(Boolean).join(' ')
  return `${at} ${who}: ${what}: ${how} ${where}\n`
}
