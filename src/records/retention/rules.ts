import { z } from 'zod'
import { formatReference } from '../../oci/reference.ts'
import { tryParseReference } from '../profiled-digest.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** What is kept. What no rule keeps is removed. */
export const RetentionRules = z
  .strictObject({
    keepNewest: z
      .int()
      .min(0)
      .max(100_000)
      .optional()
      .describe('So many of each image and workload are kept, the newest.'),
    maxAgeDays: z
      .number()
      .positive()
      .max(36_500)
      .optional()
      .describe('What is younger is kept. With keepNewest, the newest are kept at any age.'),
    keepPublished: z
      .boolean()
      .optional()
      .describe('Whether published records are kept in any case; default true.'),
  })
  .refine(({ keepNewest, maxAgeDays }) => keepNewest !== undefined || maxAgeDays !== undefined, {
    message: 'name keepNewest, maxAgeDays or both: without a rule everything would go',
  })
  .meta({
    id: 'RetentionRules',
    description: 'Which records and record images are kept.',
    examples: [{ keepNewest: 5, maxAgeDays: 90 }],
  })
export type RetentionRules = z.infer<typeof RetentionRules>

/** Something that may be removed. */
export type Retainable = {
  readonly image?: string | undefined
  readonly workload?: string | undefined
  /** Milliseconds since 1970; undefined: not known, and kept where age decides. */
  readonly createdAt: number | undefined
  readonly isPublished: boolean
}

/** Something that goes, and why. */
export type Removal<Item> = { readonly item: Item; readonly reason: string }

/**
 * What goes by the rules, oldest first. Items belong together by image (without its digest, where it has a tag) and
 * workload. A pure decision.
 * @param items the newest first, where they are of one moment
 * @param now milliseconds since 1970
 */
export function removals<Item extends Retainable>(
  items: readonly Item[],
  rules: RetentionRules,
  now: number,
): Removal<Item>[] {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const key = JSON.stringify([imageName(item.image), item.workload])
    groups.set(key, [...(groups.get(key) ?? []), item])
  }
  const gone = [...groups.values()].flatMap((group) => removedOf(group, rules, now))
  return gone.toReversed().sort((a, b) => momentOf(a.item) - momentOf(b.item))
}

function removedOf<Item extends Retainable>(
  group: readonly Item[],
  { keepNewest = 0, maxAgeDays, keepPublished = true }: RetentionRules,
  now: number,
): Removal<Item>[] {
  const newest = group.toSorted((a, b) => momentOf(b) - momentOf(a))
  return newest.slice(keepNewest).flatMap((item) => {
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

/** What does not say when it was made counts as the oldest. */
function momentOf({ createdAt = 0 }: Retainable): number {
  return createdAt
}
