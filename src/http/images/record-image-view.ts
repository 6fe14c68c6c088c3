import { z } from 'zod'
import type { CataloguePage, ListedRecord } from '../../catalogue/listed-images.ts'
import type { ItemCount } from '../../db/terms/term-query.ts'
import { Digest } from '../../oci/digest-schema.ts'
import { isoTime, Timestamp } from '../parameters.ts'
import { EXAMPLE_DIGEST } from '../records/view.ts'

/** The number of items on all pages, as listings show it. */
export const Total = {
  totalCount: z.int().describe('The number of items on all pages, as far as it was counted.'),
  isTotalLowerBound: z
    .literal(true)
    .optional()
    .describe('Present if there may be more items than `totalCount`, because counting stopped there.'),
}

export function totalView({ count, isLowerBound }: ItemCount): {
  totalCount: number
  isTotalLowerBound?: true
} {
  return { totalCount: count, ...(isLowerBound && { isTotalLowerBound: true }) }
}

/** What the pages of the catalogue have besides their items. */
export const pageFields = {
  next: z.string().optional().describe('The cursor of the next page. Omitted on the last page.'),
  ...Total,
  comparedAt: Timestamp.optional().describe(
    'When what is listed was last compared with the registry completely. Absent if it was not yet.',
  ),
}

export function cataloguePage<Item, View>(
  { items, next, total, comparedAt }: CataloguePage<Item>,
  viewOf: (item: Item) => View,
) {
  return {
    items: items.map(viewOf),
    ...(next !== undefined && { next }),
    ...totalView(total),
    ...(comparedAt !== undefined && { comparedAt: isoTime(comparedAt) }),
  }
}

const RecordImageSummary = z
  .object({
    reference: z.string(),
    digest: Digest,
    size: z
      .int()
      .optional()
      .describe('The size of manifest, config and layer in bytes. Absent until the manifest was read.'),
    createdAt: z.string().optional().describe('When the record was created, according to the image.'),
    image: z.string().optional().describe('The profiled image, as named by the publisher.'),
    workload: z.string().optional(),
    profiler: z.string().optional(),
    profilerVersion: z.string().optional(),
    subject: Digest.optional().describe('The digest of the manifest that the record image refers to.'),
    annotations: z.record(z.string(), z.string()),
    entryCount: z.int().optional().describe('The number of entries, according to the publisher.'),
    recordId: z.string().optional().describe('The stored record that it was published from, if it is known.'),
    labels: z.record(z.string(), z.string()).optional().describe('The labels of that record.'),
    match: z
      .enum(['digest', 'repository'])
      .optional()
      .describe(
        'How the record image relates to the requested image. digest: it belongs to this very image; repository: to another image of its repository.',
      ),
    seenAt: Timestamp.describe('When the broker first saw this digest under this reference.'),
    comparedAt: Timestamp.optional().describe(
      'When it was last compared with the registry. Absent if it was not yet.',
    ),
  })
  .meta({
    id: 'RecordImageSummary',
    description: 'A record file image in a registry.',
    examples: [
      {
        reference: 'registry.example/team/app:record-1.0-serve',
        digest: EXAMPLE_DIGEST,
        size: 6123,
        createdAt: '2026-01-02T03:04:05.678Z',
        image: 'registry.example/team/app:1.0',
        workload: 'serve',
        annotations: {},
        entryCount: 214,
        seenAt: '2026-01-02T03:04:06.000Z',
        comparedAt: '2026-01-03T00:00:00.000Z',
      },
    ],
  })

export const RecordImagePage = z
  .object({ items: z.array(RecordImageSummary), ...pageFields })
  .meta({ id: 'RecordImagePage', description: 'A page of record file images, newest first.' })

export function recordImagePage(page: CataloguePage<ListedRecord>): z.infer<typeof RecordImagePage> {
  return cataloguePage(page, recordImageSummary)
}

function recordImageSummary({
  kind: _,
  seenAt,
  comparedAt,
  ...item
}: ListedRecord): z.infer<typeof RecordImageSummary> {
  const { labels, annotations } = item
  return {
    ...item,
    annotations: { ...annotations },
    labels: labels && { ...labels },
    seenAt: isoTime(seenAt),
    ...(comparedAt !== undefined && { comparedAt: isoTime(comparedAt) }),
  }
}
