import { z } from 'zod'
import { digestOf } from '../../oci/digest.ts'
import { Digest } from '../../oci/digest-schema.ts'
import type { RecordEntry } from '../model.ts'
import type { StepBudget } from '../step-budget.ts'
import {
  type MeasuredEntry,
  type MeasuredLayer,
  PACKED_HEADER_BYTES,
  type TakenLayer,
  takenLayer,
} from './measured-layer.ts'
import { NearestNames } from './nearest-name.ts'
import { MOST_NAME_BYTES, MOST_NAMED } from './report-budget.ts'
import { type Fate, type ResolvedRecord, resolveRecord } from './resolve.ts'
import { estimateStart, prefetching } from './start-estimate.ts'

const MOST_IMPLIED = 100
const EMPTY = digestOf('')

const Count = z.int().nonnegative()
const Bytes = z.int().nonnegative()

const Fetched = z
  .object({ bytes: Bytes, requests: Count })
  .meta({ id: 'FetchEstimate', description: 'What is fetched from the registry until a start is done.' })

const RecordUseLayer = z
  .object({
    digest: Digest.describe('Of the layer in the image that was asked about.'),
    size: Bytes.describe('Of the whole layer.'),
    files: Count.describe('Entries that the record prioritizes, parents left out.'),
    bytes: Bytes.describe('Content of these, uncompressed.'),
    prefetchBytes: Bytes.describe('Compressed bytes before the landmark.'),
  })
  .meta({ id: 'RecordUseLayer', description: 'What a record says of one layer.' })

const Staleness = z
  .object({
    profiled: z.string().describe('The profiled image.'),
    compared: Count.describe('Recorded files of the profiled image.'),
    changed: Count.describe('Those whose content is another in this image, or that it has not.'),
    share: z.number().min(0).max(1).describe('changed / compared.'),
  })
  .meta({
    id: 'RecordStaleness',
    description: 'How far an image has moved away from the one that was profiled.',
  })
export type Staleness = z.infer<typeof Staleness>

/** Where a record was found that a conversion looked for itself. */
export const RecordOrigin = z
  .object({
    reference: z.string().describe('The record image, by digest.'),
    match: z
      .enum(['digest', 'repository'])
      .describe('digest: it belongs to this very image; repository: to another one of its repository.'),
    image: z.string().optional().describe('The profiled image, as the publisher named it.'),
    workload: z.string().optional(),
    created: z.string().optional(),
  })
  .meta({ id: 'RecordOrigin', description: 'The record image that was chosen.' })
export type RecordOrigin = z.infer<typeof RecordOrigin>

const FIRST_NAMED = `the first ones, ${MOST_NAMED} at most over all images of the report, as far as all names together take no more than ${MOST_NAME_BYTES} bytes`

/** What becomes of a record in one image. */
export const RecordUse = z
  .object({
    from: RecordOrigin.optional(),
    entries: Count,
    paths: Count.describe('Different recorded paths and globs.'),
    placed: Count.describe('Recorded paths and globs that were found in the image.'),
    followed: Count.describe('Those of them that symlinks led to.'),
    notFoundCount: Count.describe('All of them.'),
    notFound: z
      .array(
        z.object({
          path: z.string(),
          nearest: z.string().optional().describe('The name in the image that comes nearest.'),
        }),
      )
      .describe(`Recorded paths that no layer has; ${FIRST_NAMED}.`),
    hiddenCount: Count.describe('All of them.'),
    hidden: z
      .array(z.string())
      .describe(`Recorded paths that a layer has and those above it take away; ${FIRST_NAMED}.`),
    impliedCount: Count.optional().describe(
      'Interpreters that the kernel opens for recorded programs, and no path names: they are placed, too.',
    ),
    implied: z
      .array(z.object({ path: z.string(), by: z.string().describe('The recorded program that needs it.') }))
      .optional()
      .describe(`The first ${MOST_IMPLIED} of them, as far as all names together leave room.`),
    programsUnread: Count.optional().describe(
      'Recorded programs whose interpreters were not looked for: their layers were not read.',
    ),
    layers: z.array(RecordUseLayer),
    imageBytes: Bytes.describe('Of all layers.'),
    prefetchBytes: Bytes.describe('What a start prefetches of them with this record.'),
    exact: z
      .boolean()
      .describe(
        'Whether compressed sizes are known; otherwise they are reckoned in proportion to plain sizes.',
      ),
    staleness: Staleness.optional(),
    stalenessUnknown: z.string().optional().describe('Why it cannot be told how stale the record is.'),
    start: z
      .object({
        withRecord: Fetched.describe('Lazily, with the recorded files first.'),
        withoutRecord: Fetched.describe('Lazily, each file when it is read.'),
        wholePull: Fetched.describe('Every layer whole.'),
      })
      .describe('An estimate for a start that reads the recorded files.'),
  })
  .meta({
    id: 'RecordUse',
    description: 'What becomes of a record in one image, and what it is worth there.',
  })
export type RecordUse = z.infer<typeof RecordUse>

export type QualityRequest = {
  readonly entries: readonly RecordEntry[]
  readonly layers: readonly MeasuredLayer[]
  readonly resolved: ResolvedRecord
  readonly profiled?: ProfiledImage | undefined
  readonly from?: RecordOrigin | undefined
  /** What looking up the record in the profiled image may take. */
  readonly budget?: StepBudget | undefined
}

/** The image that the record was made of, or why it cannot be compared. */
export type ProfiledImage =
  | {
      readonly name: string
      readonly layers: readonly MeasuredLayer[]
      readonly manifestDigest: Digest
    }
  | { readonly unknown: string }

/** Reports on a record in one image, and names what a report of this image alone has room for: a pure function of what is known of the layers. */
export function recordUse(request: QualityRequest): RecordUse {
  const { entries, layers, profiled, resolved } = request
  const { fates } = resolved
  const those = (...wanted: Fate[]) =>
    [...fates].flatMap(([path, fate]) => (wanted.includes(fate) ? [path] : []))
  const missing = those('missing')
  const hidden = those('hidden')
  const named = missing.slice(0, MOST_NAMED)
  const nearest = new NearestNames(resolved.view, named)
  const taken = layers.map((layer, i) => takenLayer(layer, resolved.taken[i] ?? { names: [], entries: [] }))
  const prefetched = taken.map(prefetchOf)
  const staleness = profiled && 'layers' in profiled ? stalenessOf(request, profiled) : undefined
  return {
    ...(request.from && { from: request.from }),
    entries: entries.length,
    paths: fates.size,
    placed: those('placed', 'followed').length,
    followed: those('followed').length,
    notFoundCount: missing.length,
    notFound: named.map((path) => {
      const near = nearest.nearest(path)
      return { path, ...(near !== undefined && { nearest: near }) }
    }),
    hiddenCount: hidden.length,
    hidden: hidden.slice(0, MOST_NAMED),
    impliedCount: resolved.implied.length,
    implied: resolved.implied.slice(0, MOST_IMPLIED),
    ...(resolved.unread.length > 0 && { programsUnread: resolved.unread.length }),
    layers: taken.map((one, i) => layerUse(one, prefetched[i] ?? 0)),
    imageBytes: layers.reduce((sum, { size }) => sum + size, 0),
    prefetchBytes: prefetching(prefetched).bytes,
    exact: layers.every(({ exact }) => exact),
    ...(staleness && { staleness }),
    ...(profiled && 'unknown' in profiled && { stalenessUnknown: profiled.unknown }),
    start: estimateStart(taken, prefetched),
  }
}

/** The report when the layers are made, and what is prefetched of each is no estimate any more. */
export function withPrefetched(use: RecordUse, prefetched: readonly number[]): RecordUse {
  const { withRecord } = use.start
  const before = prefetching(use.layers.map((layer) => layer.prefetchBytes))
  const after = prefetching(prefetched)
  return {
    ...use,
    layers: use.layers.map((layer, i) => ({ ...layer, prefetchBytes: prefetched[i] ?? 0 })),
    prefetchBytes: after.bytes,
    start: {
      ...use.start,
      withRecord: {
        bytes: withRecord.bytes - before.bytes + after.bytes,
        requests: withRecord.requests - before.requests + after.requests,
      },
    },
  }
}

function layerUse({ layer: { digest, size }, names, entries }: TakenLayer, prefetchBytes: number) {
  const bytes = entries.reduce((sum, entry) => sum + (entry.size ?? 0), 0)
  return { digest, size, files: names.length, bytes, prefetchBytes }
}

/** What would lie before the landmark. Small files may share a member, which is fetched once. */
function prefetchOf({ names, entries }: TakenLayer): number {
  const members = new Map<number, number>()
  for (const { offset, packed = 0 } of entries) {
    if (offset !== undefined) members.set(offset, Math.max(packed, members.get(offset) ?? 0))
  }
  return members.values().reduce((sum, packed) => sum + packed, names.length * PACKED_HEADER_BYTES)
}

/** Compares what the recorded paths mean in the profiled image and in this one. */
function stalenessOf(
  { entries, layers, resolved: here, budget }: QualityRequest,
  profiled: Exclude<ProfiledImage, { unknown: string }>,
): Staleness {
  const { manifestDigest } = profiled
  const there =
    profiled.layers === layers
      ? here
      : resolveRecord({
          entries,
          manifestDigest,
          layers: profiled.layers.map((layer) => layer.entries),
          budget,
        })
  if (there !== here) there.view.release()
  const files = [...there.contents].flatMap(([path, { layer, entry }]) => {
    const content = contentOf(profiled.layers[layer]?.entries.at(entry))
    return content === undefined ? [] : [{ path, content }]
  })
  const changed = files.filter(({ path, content }) => {
    const { layer = -1, entry = -1 } = here.contents.get(path) ?? {}
    return contentOf(layers[layer]?.entries.at(entry)) !== content
  })
  const share = files.length === 0 ? 0 : changed.length / files.length
  return { profiled: profiled.name, compared: files.length, changed: changed.length, share }
}

/** What tells a file's content from another: its digest. Some writers name none for empty files. */
function contentOf(entry: MeasuredEntry | undefined): string | undefined {
  if (entry?.type !== 'reg') return undefined
  return entry.digest ?? (entry.size ? undefined : EMPTY)
}
