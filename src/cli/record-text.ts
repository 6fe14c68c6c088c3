import type { FoundInImage } from '../records/evaluation.ts'

/** The fields of a record in the broker's responses that the command line prints. */
export type RecordView = {
  readonly id: string
  readonly digest: string
  readonly image?: string
  readonly workload?: string
  readonly entries: number
  readonly warnings?: readonly string[]
  readonly roots?: readonly { readonly root: string; readonly paths: number }[]
  readonly inImage?: FoundInImage
  readonly createdAt: string
  readonly publications: readonly { readonly reference: string; readonly digest: string }[]
}

/** Describes a record for people. */
export function recordText(record: RecordView): string {
  const subject = [record.image, record.workload].filter(Boolean).join(' ')
  const lines = [`${record.id} ${record.createdAt} ${record.entries} entries ${subject}`.trimEnd()]
  for (const { reference, digest } of record.publications) lines.push(`  ${reference}@${digest}`)
  for (const { root, paths } of record.roots ?? []) {
    lines.push(`  removed the prefix ${root} from ${paths} paths`)
  }
  for (const { platform, paths, found } of record.inImage?.platforms ?? []) {
    lines.push(`  ${platform}: the image contains ${found} of ${paths} paths`)
  }
  if (record.inImage?.warning) lines.push(`  warning: ${record.inImage.warning}`)
  if (record.inImage?.unknown) lines.push(`  the image was not checked: ${record.inImage.unknown}`)
  for (const warning of record.warnings ?? []) lines.push(`  warning: ${warning}`)
  return `${lines.join('\n')}\n`
}
