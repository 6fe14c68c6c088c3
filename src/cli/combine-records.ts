import type { Command } from 'commander'
import type { RecordDiff } from '../records/combine/diff-records.ts'
import { MergeStrategy } from '../records/provenance.ts'
import type { RecordUse } from '../records/resolve/record-use.ts'
import { platform, reference, share } from './arguments.ts'
import { type BrokerOptions, get, JSON_OPTION, post, queryOf, SERVER_OPTION } from './broker-client.ts'
import { print } from './print.ts'
import { type RecordView, recordText } from './record-text.ts'
import { recordUseLines } from './report-text.ts'

/** Adds `record merge`, `record diff` and `record retarget`. */
export function addCombineCommands(record: Command): void {
  record
    .command('merge')
    .description('merge uploaded records into a new one')
    .argument('<ids...>', 'ids of the records')
    .requiredOption('--strategy <strategy>', MergeStrategy.options.join(', '))
    .option('--threshold <share>', 'with frequency: the share of records that must have a path', share)
    .option('--image <reference>', 'the image of the new record', reference)
    .option('--workload <name>', 'the workload of the new record')
    .option(...SERVER_OPTION)
    .option(...JSON_OPTION)
    .action(mergeRecords)
  record
    .command('diff')
    .description('compare two uploaded records')
    .argument('<a>', 'id of the first record')
    .argument('<b>', 'id of the second record')
    .option(...SERVER_OPTION)
    .option(...JSON_OPTION)
    .action(diffRecords)
  record
    .command('retarget')
    .description('apply an uploaded record to another image, and store the result as a new record')
    .argument('<id>', 'id of the record')
    .argument('<image>', 'another version of the profiled image', reference)
    .option('--platform <platform>', 'the image of an index to use: os/architecture[/variant]', platform)
    .option('--workload <name>', 'the workload of the new record')
    .option(...SERVER_OPTION)
    .option(...JSON_OPTION)
    .action(retargetRecord)
}

async function mergeRecords(
  ids: readonly string[],
  options: BrokerOptions & {
    readonly strategy: string
    readonly threshold?: number
    readonly image?: string
    readonly workload?: string
  },
): Promise<void> {
  const { strategy, threshold, image, workload } = options
  const request = { records: ids, strategy, threshold, image, workload }
  print(options, await post<RecordView>(options, '/v1/records/merges', request), recordText)
}

async function diffRecords(a: string, b: string, options: BrokerOptions): Promise<void> {
  const path = `/v1/records/${encodeURIComponent(a)}/diff/${encodeURIComponent(b)}`
  print(options, await get<RecordDiff>(options, path + queryOf({ limit: '10000' })), diffText)
}

type Retargeted = { readonly record: RecordView; readonly lost: number; readonly use: RecordUse }

async function retargetRecord(
  id: string,
  image: string,
  options: BrokerOptions & { readonly platform?: string; readonly workload?: string },
): Promise<void> {
  const { platform, workload } = options
  const path = `/v1/records/${encodeURIComponent(id)}/retargets`
  print(options, await post<Retargeted>(options, path, { image, platform, workload }), retargetedText)
}

function retargetedText({ record, lost, use }: Retargeted): string {
  return [`${recordText(record)}  ${lost} of ${use.paths} paths lost`, ...recordUseLines(use), ''].join('\n')
}

function diffText({ common, moved, onlyInA, onlyInB }: RecordDiff): string {
  const lines = [
    `${common} paths in common, ${moved} of them at another position`,
    ...onlyInA.entries.map(({ path }) => `- ${path}`),
    ...onlyInB.entries.map(({ path }) => `+ ${path}`),
  ]
  return `${lines.join('\n')}\n`
}
