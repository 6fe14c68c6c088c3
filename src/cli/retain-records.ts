import type { Command } from 'commander'
import { count } from './arguments.ts'
import { type BrokerOptions, JSON_OPTION, post, SERVER_OPTION } from './broker-client.ts'
import { print } from './print.ts'

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
  record
    .command('retain')
    .description('remove old records and record images; without --plan a dry run')
    .option('--keep-newest <count>', 'keep this many of the newest records per image and workload', count)
    .option('--max-age-days <days>', 'keep records that are younger than this', count)
    .option('--no-published', 'remove published records, too, if the other rules allow it')
    .option('--record-images', 'also remove record images from the backing registry')
    .option('--plan <digest>', 'remove exactly what the dry run with this plan listed')
    .option(...SERVER_OPTION)
    .option(...JSON_OPTION)
    .action(retainRecords)
}

async function retainRecords(
  options: BrokerOptions & {
    readonly keepNewest?: number
    readonly maxAgeDays?: number
    readonly published: boolean
    readonly recordImages?: boolean
    readonly plan?: string
  },
): Promise<void> {
  const { keepNewest, maxAgeDays, published, recordImages, plan } = options
  const rules = { keepNewest, maxAgeDays, ...(!published && { keepPublished: false }) }
  const report = await post<RetentionReport>(options, '/v1/retention', { rules, recordImages, plan })
  print(options, report, reportText)
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
