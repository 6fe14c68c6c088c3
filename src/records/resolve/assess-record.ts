import { type Digest, digestOf } from '../../oci/digest.ts'
import type { RecordEntry } from '../model.ts'
import type { StepBudget } from '../step-budget.ts'
import {
  type AccessedLayer,
  accessedLayer,
  COMPRESSED_HEADER_BYTES,
  type MeasuredEntry,
  type MeasuredLayer,
} from './measured-layer.ts'
import { NearestNames } from './nearest-name.ts'
import {
  MAX_IMPLIED_NAMED,
  MAX_NAMED_PATHS,
  type RecordOrigin,
  type RecordUse,
  type Staleness,
} from './record-use.ts'
import { type Resolution, type ResolvedRecord, resolveRecord } from './resolve.ts'
import { estimateStart, prefetching } from './start-estimate.ts'

const EMPTY = digestOf('')

export type AssessmentRequest = {
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
export function assessRecord(request: AssessmentRequest): RecordUse {
  const { entries, layers, profiled, resolved } = request
  const { fates } = resolved
  const those = (...wanted: Resolution[]) =>
    [...fates].flatMap(([path, fate]) => (wanted.includes(fate) ? [path] : []))
  const missing = those('missing')
  const hidden = those('hidden')
  const named = missing.slice(0, MAX_NAMED_PATHS)
  const nearest = new NearestNames(resolved.view, named)
  const taken = layers.map((layer, i) =>
    accessedLayer(layer, resolved.taken[i] ?? { names: [], entries: [] }),
  )
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
    hidden: hidden.slice(0, MAX_NAMED_PATHS),
    impliedCount: resolved.implied.length,
    implied: resolved.implied.slice(0, MAX_IMPLIED_NAMED),
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

function layerUse({ layer: { digest, size }, names, entries }: AccessedLayer, prefetchBytes: number) {
  const bytes = entries.reduce((sum, entry) => sum + (entry.size ?? 0), 0)
  return { digest, size, files: names.length, bytes, prefetchBytes }
}

/** What would lie before the landmark. Small files may share a member, which is fetched once. */
function prefetchOf({ names, entries }: AccessedLayer): number {
  const members = new Map<number, number>()
  for (const { offset, packed = 0 } of entries) {
    if (offset !== undefined) members.set(offset, Math.max(packed, members.get(offset) ?? 0))
  }
  return members.values().reduce((sum, packed) => sum + packed, names.length * COMPRESSED_HEADER_BYTES)
}

/** Compares what the recorded paths mean in the profiled image and in this one. */
function stalenessOf(
  { entries, layers, resolved: here, budget }: AssessmentRequest,
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
