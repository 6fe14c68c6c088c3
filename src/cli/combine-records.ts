import type { RecordDiff } from '../records/combine/diff.ts'
import type { RecordUse } from '../records/resolve/record-use.ts'
import { ask, type Common, print, queryOf } from './broker.ts'
import { useLines } from './output.ts'
import { recordText, type Shown } from './records.ts'

/** Puts records together. */
export async function mergeRecords(
  ids: readonly string[],
  options: Common & {
    readonly strategy: string
    readonly threshold?: number
    readonly image?: string
    readonly workload?: string
  },
): Promise<void> {
  const { strategy, threshold, image, workload } = options
  const body = JSON.stringify({ records: ids, strategy, threshold, image, workload })
  const merged = await ask<Shown>(options, 'POST', '/v1/records/merges', { body, type: 'application/json' })
  print(options, merged, recordText)
}

/** Compares two records. */
export async function diffRecords(a: string, b: string, options: Common): Promise<void> {
  const path = `/v1/records/${encodeURIComponent(a)}/diff/${encodeURIComponent(b)}`
  print(options, await ask<RecordDiff>(options, 'GET', path + queryOf({ limit: '10000' })), diffText)
}

/** Applies a record to another image. */
export async function retargetRecord(
  id: string,
  image: string,
  options: Common & { readonly platform?: string; readonly workload?: string },
): Promise<void> {
  const { platform, workload } = options
  const body = JSON.stringify({ image, platform, workload })
  const path = `/v1/records/${encodeURIComponent(id)}/retargets`
  type Answer = { record: Shown; lost: number; use: RecordUse }
  const made = await ask<Answer>(options, 'POST', path, { body, type: 'application/json' })
  print(options, made, ({ record, lost, use }) =>
    [`${recordText(record)}  ${lost} of ${use.paths} paths lost`, ...useLines(use), ''].join('\n'),
  )
}

function diffText({ common, moved, onlyInA, onlyInB }: RecordDiff): string {
  const lines = [
    `${common} paths in common, ${moved} of them elsewhere`,
    ...onlyInA.entries.map(({ path }) => `- ${path}`),
    ...onlyInB.entries.map(({ path }) => `+ ${path}`),
  ]
  return `${lines.join('\n')}\n`
}
