import { ask, type Common, print } from './broker.ts'

type Gone = { readonly reason: string; readonly removed?: boolean; readonly problem?: string }
type Report = {
  readonly dryRun: boolean
  readonly plan: string
  readonly records: readonly (Gone & { readonly id: string; readonly createdAt: string })[]
  readonly recordImages: readonly (Gone & { readonly reference: string })[]
  readonly more: boolean
}

/** Removes old records and record images by rules; without a plan it shows what would go. */
export async function retainRecords(
  options: Common & {
    readonly keepNewest?: number
    readonly maxAgeDays?: number
    readonly published: boolean
    readonly recordImages?: boolean
    readonly plan?: string
  },
): Promise<void> {
  const { keepNewest, maxAgeDays, published, recordImages, plan } = options
  const rules = { keepNewest, maxAgeDays, ...(!published && { keepPublished: false }) }
  const body = JSON.stringify({ rules, recordImages, plan })
  const report = await ask<Report>(options, 'POST', '/v1/retention', { body, type: 'application/json' })
  print(options, report, reportText)
}

function reportText({ dryRun, plan, records, recordImages, more }: Report): string {
  const outcome = ({ removed, problem, reason }: Gone) =>
    dryRun ? `would go: ${reason}` : removed ? `gone: ${reason}` : `still there: ${problem}`
  const lines = [
    ...records.map((one) => `${one.id} ${one.createdAt} ${outcome(one)}`),
    ...recordImages.map((one) => `${one.reference} ${outcome(one)}`),
    ...(more ? ['there is more: run it again'] : []),
    ...(dryRun ? [`to remove these: the same command with --plan ${plan}`] : []),
  ]
  return `${lines.join('\n')}\n`
}
