import type { Digest } from '../../oci/digest.ts'
import { decodeEntries } from '../../records/encoded-entries.ts'
import { assessRecord, type ProfiledImage } from '../../records/resolve/assess-record.ts'
import type { RecordOrigin, RecordUse } from '../../records/resolve/record-use.ts'
import { type ResolvedRecord, resolveRecord } from '../../records/resolve/resolve.ts'
import { StepBudget } from '../../records/step-budget.ts'
import { type ListedLayer, measureLayer } from '../source/listed-layer.ts'

/** Looks up in an image what a record names, and reports on it. A layer thread does it, as it may take long. */
export type ApplyTask = {
  /** By {@link packEntries}. */
  readonly entries: Uint8Array
  readonly layers: readonly ListedLayer[]
  readonly manifestDigest: Digest
  readonly profiled: ProfiledLayers
  readonly from: RecordOrigin | undefined
  readonly maxSteps: number
  /** Whether the interpreters of programs are placed, too. */
  readonly interpreters: boolean
  /** Whether it is answered what became of each path. */
  readonly keepFates: boolean
}

/** The profiled image as it crosses between threads. `same`: it is the image that the record is applied to. */
export type ProfiledLayers =
  | { readonly unknown: string }
  | {
      readonly name: string
      readonly manifestDigest: Digest
      readonly layers: 'same' | readonly ListedLayer[]
    }

/** What becomes of a record in an image. `fates` has what was asked for. */
export type AppliedRecord = Pick<ResolvedRecord, 'fates' | 'prioritized' | 'unread'> & {
  readonly use: RecordUse
}

/** @throws RecordError GLOBS_TOO_COSTLY, RECORD_TOO_COSTLY */
export function applyTask(task: ApplyTask): AppliedRecord {
  const entries = decodeEntries(task.entries)
  const layers = task.layers.map(measureLayer)
  const budget = new StepBudget(task.maxSteps)
  const resolved = resolveRecord({
    entries,
    layers: layers.map((layer) => layer.entries),
    manifestDigest: task.manifestDigest,
    budget,
    interpreters: task.interpreters,
  })
  const profiled = profiledImage(task.profiled, layers)
  const use = assessRecord({ entries, layers, resolved, profiled, from: task.from, budget })
  resolved.view.release()
  const { prioritized, unread } = resolved
  return { use, prioritized, unread, fates: task.keepFates ? resolved.fates : new Map() }
}

function profiledImage(profiled: ProfiledLayers, layers: ReturnType<typeof measureLayer>[]): ProfiledImage {
  if ('unknown' in profiled) return profiled
  const { name, manifestDigest } = profiled
  return {
    name,
    manifestDigest,
    layers: profiled.layers === 'same' ? layers : profiled.layers.map(measureLayer),
  }
}
