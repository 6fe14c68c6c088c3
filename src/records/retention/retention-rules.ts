import { z } from 'zod'
import { formatReference } from '../../oci/reference.ts'
import { tryParseReference } from '../profiled-digest.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** Rules that keep records. A record that no rule keeps is removed. */
export const RetentionRules = z
  .strictObject({
    keepNewest: z
      .int()
      .min(0)
      .max(100_000)
      .optional()
      .describe('The number of newest records of each image and workload to keep.'),
    maxAgeDays: z
      .number()
      .positive()
      .max(36_500)
      .optional()
      .describe('Keep records that are younger than this. With keepNewest, the newest are kept at any age.'),
    keepPublished: z
      .boolean()
      .optional()
      .describe('Whether to always keep published records; default: true.'),
  })
  .refine(({ keepNewest, maxAgeDays }) => keepNewest !== undefined || maxAgeDays !== undefined, {
    message: 'set keepNewest, maxAgeDays or both: without a rule, everything would be removed',
  })
  .meta({
    id: 'RetentionRules',
    description: 'Rules that keep records and record images.',
    examples: [{ keepNewest: 5, maxAgeDays: 90 }],
  })
export type RetentionRules = z.infer<typeof RetentionRules>

/** An item that the rules apply to. */
export type Retainable = {
  readonly image?: string | undefined
  readonly workload?: string | undefined
  /** Milliseconds since 1970; undefined if it is unknown, which `maxAgeDays` treats as young. */
  readonly createdAt: number | undefined
  readonly isPublished: boolean
}

export type Removal<Item> = { readonly item: Item; readonly reason: string }

/**
 * Selects the items to remove, oldest first. Items are grouped by image (without its digest, if it has a tag)
 * and workload. A pure function.
 * @param items newest first, for those with the same creation time
 * @param now milliseconds since 1970
 */
export function selectRemovals<Item extends Retainable>(
  items: readonly Item[],
  rules: RetentionRules,
  now: number,
): Removal<Item>[] {
  const groups = Map.groupBy(items, ({ image, workload }) => JSON.stringify([imageName(image), workload]))
  const removals = [...groups.values()].flatMap((group) => selectFromGroup(group, rules, now))
  return removals.toReversed().sort((a, b) => createdTime(a.item) - createdTime(b.item))
}

function selectFromGroup<Item extends Retainable>(
  group: readonly Item[],
  { keepNewest = 0, maxAgeDays, keepPublished = true }: RetentionRules,
  now: number,
): Removal<Item>[] {
  const newestFirst = group.toSorted((a, b) => createdTime(b) - createdTime(a))
  return newestFirst.slice(keepNewest).flatMap((item) => {
    if (keepPublished && item.isPublished) return []
    const isYoung = item.createdAt === undefined || now - item.createdAt <= (maxAgeDays ?? 0) * DAY_MS
    if (maxAgeDays !== undefined && isYoung) return []
    const reasons = [
      ...(keepNewest > 0 ? [`${keepNewest} of this image and workload are newer`] : []),
      ...(maxAgeDays === undefined ? [] : [`older than ${maxAgeDays} days`]),
    ]
    return [{ item, reason: reasons.join(', ') || 'none of this image and workload is kept' }]
  })
}

function imageName(text: string | undefined): string | undefined {
  const image = tryParseReference(text)
  if (image?.tag === undefined) return text
  return formatReference({ host: image.host, repository: image.repository, tag: image.tag })
}

/** An item without a creation time is sorted as the oldest. */
function createdTime({ createdAt = 0 }: Retainable): number {
  return createdAt
}
