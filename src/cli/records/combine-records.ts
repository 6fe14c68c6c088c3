import { type Command, Option } from 'commander'
import type { RecordDiff } from '../../records/combine/diff-records.ts'
import { MergeStrategy } from '../../records/provenance.ts'
import type { RecordUse } from '../../records/resolve/record-use.ts'
import { platform, reference, share } from '../arguments.ts'
import { addBrokerOptions, type BrokerOptions, withBroker } from '../broker/with-broker.ts'
import { describeCommand } from '../help/describe-command.ts'
import { print } from '../print.ts'
import type { Plain } from '../text/plain.ts'
import { type RecordView, recordText } from '../text/record-text.ts'
import { recordUseLines } from '../text/report-text.ts'
import { printRecord } from './print-record.ts'

/** The most paths of each side that a comparison lists. */
const MAX_LISTED_PATHS = 10_000

/** Adds `record merge`, `record diff` and `record retarget`. */
export function addCombineCommands(record: Command): void {
  describeCommand(
    addBrokerOptions(
      record
        .command('merge')
        .description('merge uploaded records into a new one')
        .argument('<ids...>', 'ids of the records')
        .addOption(
          new Option('--strategy <strategy>', 'which paths the new record has')
            .choices(MergeStrategy.options)
            .makeOptionMandatory(),
        )
        .option(
          '--threshold <share>',
          'with frequency: the share of records that must have a path, 0 to 1',
          share,
        )
        .option('--image <reference>', 'the image of the new record', reference)
        .option('--workload <name>', 'the workload of the new record'),
    ).action(mergeRecords),
    {
      examples: [
        ['record merge ID ID ID --strategy frequency --threshold 0.5', 'paths that half of the runs have'],
      ],
      settings: ['commands'],
    },
  )
  addBrokerOptions(
    record
      .command('diff')
      .description('compare two uploaded records')
      .argument('<a>', 'id of the first record')
      .argument('<b>', 'id of the second record'),
  ).action(diffRecords)
  addBrokerOptions(
    record
      .command('retarget')
      .description('apply an uploaded record to another image, and store the result as a new record')
      .argument('<id>', 'id of the record')
      .argument('<image>', 'another version of the profiled image', reference)
      .option('--platform <platform>', 'the image of an index to use: os/architecture[/variant]', platform)
      .option('--workload <name>', 'the workload of the new record'),
  ).action(retargetRecord)
}

async function mergeRecords(
  ids: readonly string[],
  options: BrokerOptions & {
    readonly strategy: MergeStrategy
    readonly threshold?: number
    readonly image?: string
    readonly workload?: string
  },
  command: Command,
): Promise<void> {
  const { strategy, threshold, image, workload } = options
  const body = {
    records: [...ids],
    strategy,
    ...(threshold !== undefined && { threshold }),
    ...(image !== undefined && { image }),
    ...(workload !== undefined && { workload }),
  }
  const merged = await withBroker(command, ({ client, signal }) =>
    client.post('/v1/records/merges', { body, signal }),
  )
  printRecord(options, merged)
}

async function diffRecords(a: string, b: string, options: BrokerOptions, command: Command): Promise<void> {
  const params = { path: { a, b }, query: { limit: MAX_LISTED_PATHS } }
  const diff = await withBroker(command, ({ client, signal }) =>
    client.get('/v1/records/{a}/diff/{b}', { params, signal }),
  )
  print(options, diff, {
    text: diffText,
    names: ({ onlyInA, onlyInB }) => [...onlyInA.entries, ...onlyInB.entries].map(({ path }) => path),
  })
}

type Retargeted = { readonly record: RecordView; readonly lostCount: number; readonly use: Plain<RecordUse> }

async function retargetRecord(
  id: string,
  image: string,
  options: BrokerOptions & { readonly platform?: string; readonly workload?: string },
  command: Command,
): Promise<void> {
  const { platform: name, workload } = options
  const body = {
    image,
    ...(name !== undefined && { platform: name }),
    ...(workload !== undefined && { workload }),
  }
  const retargeted = await withBroker(command, ({ client, signal }) =>
    client.post('/v1/records/{id}/retargets', { params: { path: { id } }, body, signal }),
  )
  print(options, retargeted, {
    text: retargetedText,
    names: ({ record }) => record.id,
  })
}

function retargetedText({ record, lostCount, use }: Retargeted): string {
  return [
    `${recordText(record)}  ${lostCount} of ${use.pathCount} paths lost`,
    ...recordUseLines(use),
    '',
  ].join('\n')
}

function diffText({ commonCount, movedCount, onlyInA, onlyInB }: Plain<RecordDiff>): string {
  const lines = [
    `${commonCount} paths in common, ${movedCount} of them at another position`,
    ...onlyInA.entries.map(({ path }) => `- ${path}`),
    ...onlyInB.entries.map(({ path }) => `+ ${path}`),
  ]
  return `${lines.join('\n')}\n`
}
