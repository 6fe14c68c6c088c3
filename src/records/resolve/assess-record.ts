import { type Digest, digestOf } from '../../oci/digest.ts'
import type { RecordEntry } from '../model.ts'
import type { RecordStepBudget } from '../record-step-budget.ts'
import { NearestNameFinder } from './nearest-name-finder.ts'
import {
  MAX_IMPLIED_NAMED,
  MAX_NAMED_PATHS,
  type RecordOrigin,
  type RecordUse,
  type Staleness,
} from './record-use.ts'
import { type Resolution, type ResolvedRecord, resolveRecord } from './resolve-record.ts'
import {
  COMPRESSED_HEADER_BYTES,
  type PrioritizedLayer,
  type SizedEntry,
  type SizedLayer,
  toPrioritizedLayer,
} from './sized-layer.ts'
import { estimatePrefetch, estimateStart } from './start-estimate.ts'

const EMPTY_CONTENT = digestOf('')

export type AssessmentRequest = {
  readonly entries: readonly RecordEntry[]
  readonly layers: readonly SizedLayer[]
  readonly resolved: ResolvedRecord
  readonly profiled?: ProfiledImage | undefined
  readonly origin?: RecordOrigin | undefined
  /** The budget for resolving the record in the profiled image. */
  readonly budget?: RecordStepBudget | undefined
}

/** The image that the record was made of, or the reason why it cannot be compared. */
export type ProfiledImage =
  | {
      readonly name: string
      readonly layers: readonly SizedLayer[]
      readonly manifestDigest: Digest
    }
  | { readonly unknown: string }

/**
 * Reports on a record in one image. The lists are as long as a report on this image alone allows. A pure
 * function.
 */
export function assessRecord(request: AssessmentRequest): RecordUse {
  const { entries, layers, profiled, resolved } = request
  const { resolutions } = resolved
  const pathsWith = (...accepted: Resolution[]) =>
    [...resolutions].flatMap(([path, resolution]) => (accepted.includes(resolution) ? [path] : []))
  const missing = pathsWith('missing')
  const hidden = pathsWith('hidden')
  const namedMissing = missing.slice(0, MAX_NAMED_PATHS)
  // A glob is no name that a file could be near to.
  const globs = new Set(entries.flatMap(({ path, glob }) => (glob ? [path] : [])))
  const nearestNames = new NearestNameFinder(
    resolved.view,
    namedMissing.filter((path) => !globs.has(path)),
  )
  const prioritized = layers.map((layer, i) =>
    toPrioritizedLayer(layer, resolved.prioritizedEntries[i] ?? { names: [], indexes: [] }),
  )
  const prefetchBytes = prioritized.map(estimatePrefetchBytes)
  const staleness = profiled && 'layers' in profiled ? measureStaleness(request, profiled) : undefined
  return {
    ...(request.origin && { from: request.origin }),
    entryCount: entries.length,
    pathCount: resolutions.size,
    placedCount: pathsWith('placed', 'followed').length,
    followedCount: pathsWith('followed').length,
    notFoundCount: missing.length,
    notFound: namedMissing.map((path) => {
      const nearest = globs.has(path) ? undefined : nearestNames.find(path)
      return { path, ...(nearest !== undefined && { nearest }) }
    }),
    hiddenCount: hidden.length,
    hidden: hidden.slice(0, MAX_NAMED_PATHS),
    impliedCount: resolved.implied.length,
    implied: resolved.implied.slice(0, MAX_IMPLIED_NAMED),
    ...(resolved.unreadPrograms.length > 0 && { unreadProgramCount: resolved.unreadPrograms.length }),
    layers: prioritized.map((layer, i) => toLayerUse(layer, prefetchBytes[i] ?? 0)),
    imageBytes: layers.reduce((sum, { size }) => sum + size, 0),
    prefetchBytes: estimatePrefetch(prefetchBytes).bytes,
    exact: layers.every(({ hasExactOffsets }) => hasExactOffsets),
    ...(staleness && { staleness }),
    ...(profiled && 'unknown' in profiled && { stalenessUnknown: profiled.unknown }),
    start: estimateStart(prioritized, prefetchBytes),
  }
}

/**
 * Replaces the estimates of prefetched bytes after a conversion.
 * @param prefetchBytes actual bytes of each layer
 */
export function withActualPrefetch(use: RecordUse, prefetchBytes: readonly number[]): RecordUse {
  const { withRecord } = use.start
  const estimated = estimatePrefetch(use.layers.map((layer) => layer.prefetchBytes))
  const actual = estimatePrefetch(prefetchBytes)
  return {
    ...use,
    layers: use.layers.map((layer, i) => ({ ...layer, prefetchBytes: prefetchBytes[i] ?? 0 })),
    prefetchBytes: actual.bytes,
    start: {
      ...use.start,
      withRecord: {
        bytes: withRecord.bytes - estimated.bytes + actual.bytes,
        requestCount: withRecord.requestCount - estimated.requestCount + actual.requestCount,
      },
    },
  }
}

function toLayerUse({ layer: { digest, size }, entries }: PrioritizedLayer, prefetchBytes: number) {
  const bytes = entries.reduce((sum, entry) => sum + (entry.size ?? 0), 0)
  return { digest, size, fileCount: entries.length, bytes, prefetchBytes }
}

/** Estimates the bytes before the landmark. Small files may share a member, which is fetched once. */
function estimatePrefetchBytes({ entries }: PrioritizedLayer): number {
  const memberSizes = new Map<number, number>()
  for (const { offset, compressedSize = 0 } of entries) {
    if (offset !== undefined) {
      memberSizes.set(offset, Math.max(compressedSize, memberSizes.get(offset) ?? 0))
    }
  }
  return memberSizes.values().reduce((sum, size) => sum + size, entries.length * COMPRESSED_HEADER_BYTES)
}

/** Compares the content of the recorded files in the profiled image and in this image. */
function measureStaleness(
  { entries, layers, resolved, budget }: AssessmentRequest,
  profiled: Exclude<ProfiledImage, { unknown: string }>,
): Staleness {
  const resolvedInProfiled =
    profiled.layers === layers
      ? resolved
      : resolveRecord({
          entries,
          manifestDigest: profiled.manifestDigest,
          layers: profiled.layers.map((layer) => layer.entries),
          budget,
        })
  if (resolvedInProfiled !== resolved) resolvedInProfiled.view.release()
  const files = [...resolvedInProfiled.contents].flatMap(([path, { layer, entry }]) => {
    const digest = contentDigestOf(profiled.layers[layer]?.entries.at(entry))
    return digest === undefined ? [] : [{ path, digest }]
  })
  const changed = files.filter(({ path, digest }) => {
    const { layer = -1, entry = -1 } = resolved.contents.get(path) ?? {}
    return contentDigestOf(layers[layer]?.entries.at(entry)) !== digest
  })
  const share = files.length === 0 ? 0 : changed.length / files.length
  return { profiled: profiled.name, comparedCount: files.length, changedCount: changed.length, share }
}

/** Returns the digest of a regular file's content. Some writers omit that of an empty file. */
function contentDigestOf(entry: SizedEntry | undefined): string | undefined {
  if (entry?.type !== 'reg') return undefined
  return entry.digest ?? (entry.size ? undefined : EMPTY_CONTENT)
}
