import type { Command } from 'commander'
import type { JobKind } from '../../client/wait-for-job.ts'
import { reference } from '../arguments.ts'
import {
  addBrokerOptions,
  type BrokerContext,
  type BrokerOptions,
  withBroker,
} from '../broker/with-broker.ts'
import { countProgressView } from '../conversions/conversion-view.ts'
import { CommandError } from '../failures/errors.ts'
import { describeCommand } from '../help/describe-command.ts'
import { print } from '../print.ts'
import { countText } from '../text/quantities.ts'
import { addFilterOptions, type FilterOptions, filterQuery, type JobState, labelsOf } from './job-options.ts'

type Action = 'cancel' | 'retry'

/** The states of the jobs that an action changes. */
const STATES: Readonly<Record<Action, readonly JobState[]>> = {
  cancel: ['queued', 'running'],
  retry: ['failed', 'cancelled'],
}
const DESCRIPTIONS: Readonly<Record<Action, (kind: JobKind) => string>> = {
  cancel: (kind) => `cancel a ${kind}, or all that match a filter; a running one stops within two seconds`,
  retry: (kind) =>
    `return a failed or cancelled ${kind} to the queue under the same id, or all that match a filter`,
}

type EndOptions = BrokerOptions &
  FilterOptions & {
    readonly source?: string
    readonly target?: string
    readonly batch?: string
    readonly dryRun?: boolean
  }
type BulkResult = {
  readonly ids: readonly string[]
  readonly conflicts: readonly { readonly id: string; readonly equivalentId: string }[]
  /** Left out of a retry, because the caller may not use their images. */
  readonly refused: readonly { readonly id: string; readonly message: string }[]
}
type BulkPage = {
  readonly ids: readonly string[]
  readonly conflicts?: BulkResult['conflicts']
  readonly refused?: BulkResult['refused']
  readonly next?: string
}

/**
 * Adds `cancel` and `retry` to the group of a kind of jobs.
 * @param one changes the job with an id, and prints it
 */
export function addEndCommands(
  group: Command,
  kind: JobKind,
  one: (action: Action, id: string, options: BrokerOptions, command: Command) => Promise<void>,
): void {
  for (const action of ['cancel', 'retry'] as const) {
    const command = group
      .command(action)
      .description(DESCRIPTIONS[action](kind))
      .argument('[id]', `id of the ${kind}; without it, options select ${kind}s`)
    addFilterOptions(command, `${kind}s`, STATES[action])
    if (kind === 'conversion') {
      command
        .option('--source <reference>', 'only conversions of this image', reference)
        .option('--target <reference>', 'only conversions to this reference', reference)
        .option('--batch <id>', 'only conversions of this batch')
    }
    command.option('--dry-run', `only list the ${kind}s that match`)
    const run = async (id: string | undefined, options: EndOptions, self: Command) => {
      const filter = bulkFilter(options)
      const isFiltered = Object.keys(filter).length > 0 || options.dryRun === true
      if (id === undefined) return changeAll(kind, action, filter, options, self)
      if (isFiltered) throw new CommandError('usage', 'give either an id, or options that select jobs')
      await one(action, id, options, self)
    }
    const example =
      action === 'cancel'
        ? ([`${kind} cancel --label pipeline=4711`, 'all of a pipeline that have not finished'] as const)
        : ([`${kind} retry --state failed --since 24h --dry-run`, 'show which would run again'] as const)
    describeCommand(addBrokerOptions(command).action(run), { examples: [example], settings: ['commands'] })
  }
}

function bulkFilter(options: EndOptions) {
  const { label, ...query } = filterQuery(options)
  const { source, target, batch } = options
  return {
    ...query,
    ...(label && { labels: labelsOf(label) }),
    ...(source !== undefined && { source }),
    ...(target !== undefined && { target }),
    ...(batch !== undefined && { batch }),
  }
}

async function changeAll(
  kind: JobKind,
  action: Action,
  filter: ReturnType<typeof bulkFilter>,
  options: EndOptions,
  command: Command,
): Promise<void> {
  if (Object.keys(filter).length === 0) {
    throw new CommandError('usage', `give an id, or options that select ${kind}s, such as --label or --state`)
  }
  const isDryRun = options.dryRun ?? false
  const result = await withBroker(command, (context) =>
    changePages(context, kind, action, { ...filter, isDryRun }),
  )
  const outcome = isDryRun ? 'match' : action === 'cancel' ? 'cancelled' : 'queued again'
  print(
    options,
    { count: result.ids.length, ...result },
    {
      text: ({ ids, conflicts, refused }) =>
        [
          ...ids.map((id) => `${id}\n`),
          ...conflicts.map(({ id, equivalentId }) => `${id} was left out: ${equivalentId} is equivalent\n`),
          ...refused.map(({ id, message }) => `${id} was left out: ${message}\n`),
          `${countText(ids.length, kind)} ${isDryRun && ids.length === 1 ? 'matches' : outcome}\n`,
        ].join(''),
      names: ({ ids }) => ids,
    },
  )
}

/** Sends the request again until no further jobs match: one request changes a bounded number. */
async function changePages(
  { client, progress, signal }: BrokerContext,
  kind: JobKind,
  action: Action,
  { isDryRun, ...filter }: ReturnType<typeof bulkFilter> & { readonly isDryRun: boolean },
): Promise<BulkResult> {
  const ids: string[] = []
  const conflicts: BulkResult['conflicts'][number][] = []
  const refused: BulkResult['refused'][number][] = []
  progress.follow(() => countProgressView(`${action} ${kind}s`, ids.length, 0, 'changed'))
  let cursor: string | undefined
  do {
    const body = { ...filter, ...(isDryRun && { dryRun: true }), ...(cursor !== undefined && { cursor }) }
    // Its states are those of the action, which the options have checked.
    const page = (await client.post(`/v1/${kind}s/${action}`, { body: body as never, signal })) as BulkPage
    ids.push(...page.ids)
    conflicts.push(...(page.conflicts ?? []))
    refused.push(...(page.refused ?? []))
    cursor = page.next
  } while (cursor !== undefined)
  return { ids, conflicts, refused }
}
