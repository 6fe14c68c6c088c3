import type { FoundInImage } from '../../records/evaluation.ts'
import type { Plain } from './plain.ts'
import { countText } from './quantities.ts'

/** The fields of a record in the broker's responses that the command line prints. */
export type RecordView = {
  readonly id: string
  readonly digest: string
  readonly image?: string | undefined
  readonly workload?: string | undefined
  readonly entryCount: number
  readonly warnings?: readonly string[] | undefined
  readonly roots?: readonly { readonly root: string; readonly pathCount: number }[] | undefined
  readonly inImage?: Plain<FoundInImage> | undefined
  readonly createdAt: string
  readonly publications: readonly { readonly reference: string; readonly digest: string }[]
}

/** Describes a record for people. */
export function recordText(record: RecordView): string {
  const subject = [record.image, record.workload].filter(Boolean).join(' ')
  const lines = [
    `${record.id} ${record.createdAt} ${countText(record.entryCount, 'entry', 'entries')} ${subject}`.trimEnd(),
  ]
  for (const { reference, digest } of record.publications) lines.push(`  ${reference}@${digest}`)
  for (const { root, pathCount } of record.roots ?? []) {
    lines.push(`  removed the prefix ${root} from ${pathCount} paths`)
  }
  for (const { platform, pathCount, foundCount } of record.inImage?.platforms ?? []) {
    lines.push(`  ${platform}: the image contains ${foundCount} of ${pathCount} paths`)
  }
  if (record.inImage?.warning) lines.push(`  warning: ${record.inImage.warning}`)
  if (record.inImage?.unknown) lines.push(`  the image was not checked: ${record.inImage.unknown}`)
  for (const warning of record.warnings ?? []) lines.push(`  warning: ${warning}`)
  return `${lines.join('\n')}\n`
}
