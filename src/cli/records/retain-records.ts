import type { Command } from 'commander'
import { count } from '../arguments.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { CommandError } from '../failures/errors.ts'
import { describeCommand } from '../help/describe-command.ts'
import { print } from '../print.ts'

type Removal = { readonly reason: string; readonly removed?: boolean; readonly problem?: string }
type RetentionReport = {
  readonly dryRun: boolean
  readonly plan: string
  readonly records: readonly (Removal & { readonly id: string; readonly createdAt: string })[]
  readonly recordImages: readonly (Removal & { readonly reference: string })[]
  readonly more: boolean
}

/** Adds `record retain`. */
export function addRetainCommand(record: Command): void {
  describeCommand(
    addBrokerOptions(
      record
        .command('retain')
        .description('remove old records and record images; without --plan a dry run')
        .option('--keep-newest <count>', 'keep this many of the newest records per image and workload', count)
        .option('--max-age-days <days>', 'keep records that are younger than this', count)
        .option('--no-published', 'remove published records, too, if the other rules allow it')
        .option('--record-images', 'also remove record images from the backing registry')
        .option('--plan <digest>', 'remove exactly what the dry run with this plan listed'),
    ).action(retainRecords),
    {
      examples: [
        ['record retain --keep-newest 3', 'show what would be removed, and the plan'],
        ['record retain --keep-newest 3 --plan DIGEST', 'remove it'],
      ],
      settings: ['commands'],
    },
  )
}

async function retainRecords(
  options: BrokerOptions & {
    readonly keepNewest?: number
    readonly maxAgeDays?: number
    readonly published: boolean
    readonly recordImages?: boolean
    readonly plan?: string
  },
  command: Command,
): Promise<void> {
  const { keepNewest, maxAgeDays, published, recordImages, plan } = options
  if (keepNewest === undefined && maxAgeDays === undefined) {
    throw new CommandError(
      'usage',
      'give --keep-newest, --max-age-days or both: without these, everything would be removed',
    )
  }
  const body = {
    rules: {
      ...(keepNewest !== undefined && { keepNewest }),
      ...(maxAgeDays !== undefined && { maxAgeDays }),
      ...(!published && { keepPublished: false }),
    },
    ...(recordImages && { recordImages }),
    ...(plan !== undefined && { plan }),
  }
  const report = await withBroker(command, ({ client, signal }) =>
    client.post('/v1/retention', { body, signal }),
  )
  print(options, report, {
    text: reportText,
    names: ({ records, recordImages: images }) => [
      ...records.map(({ id }) => id),
      ...images.map(({ reference }) => reference),
    ],
  })
}

function reportText({ dryRun, plan, records, recordImages, more }: RetentionReport): string {
  const outcome = ({ removed, problem, reason }: Removal) =>
    dryRun ? `would be removed: ${reason}` : removed ? `removed: ${reason}` : `not removed: ${problem}`
  const lines = [
    ...records.map((record) => `${record.id} ${record.createdAt} ${outcome(record)}`),
    ...recordImages.map((image) => `${image.reference} ${outcome(image)}`),
    ...(more ? ['more records match: run the command again'] : []),
    ...(dryRun ? [`to remove these, run the same command with --plan ${plan}`] : []),
  ]
  return `${lines.join('\n')}\n`
}
