import type { Digest } from '../../oci/digest.ts'
import { decodeEntries } from '../../records/encoded-entries.ts'
import { RecordStepBudget } from '../../records/record-step-budget.ts'
import { assessRecord, type ProfiledImage } from '../../records/resolve/assess-record.ts'
import type { RecordOrigin, RecordUse } from '../../records/resolve/record-use.ts'
import { type Resolution, resolveRecord } from '../../records/resolve/resolve-record.ts'
import type { SizedLayer } from '../../records/resolve/sized-layer.ts'
import type { EntryRef } from '../../rootfs/path-walk.ts'
import { type ListedLayer, toSizedLayer } from '../source/listed-layer.ts'

/**
 * Resolves the paths of a record in an image, and reports on them. Layer threads do this, because it can take
 * long.
 */
export type ApplyTask = {
  /** The entries of the record, encoded by `encodeEntries`. */
  readonly entries: Uint8Array
  readonly layers: readonly ListedLayer[]
  readonly manifestDigest: Digest
  readonly profiled: ProfiledLayers
  readonly origin: RecordOrigin | undefined
  /** The bound on the steps of matching and looking up paths. */
  readonly maxSteps: number
  /** Whether to prioritize the interpreters of recorded programs, too. */
  readonly interpreters: boolean
  /** Whether to return the resolution of each path. */
  readonly returnResolutions: boolean
}

/** The profiled image in a task. `same`: it is the image that the record is applied to. */
export type ProfiledLayers =
  | { readonly unknown: string }
  | {
      readonly name: string
      readonly manifestDigest: Digest
      readonly layers: 'same' | readonly ListedLayer[]
    }

/** The result of applying a record to an image. */
export type AppliedRecord = {
  readonly use: RecordUse
  /** For each layer, the names of its prioritized entries in access order. */
  readonly prioritized: readonly (readonly string[])[]
  /** Recorded programs whose interpreters are unknown, because their content was not read. */
  readonly unreadPrograms: readonly EntryRef[]
  /** The resolution of each recorded path and glob; empty unless the task has `returnResolutions`. */
  readonly resolutions: ReadonlyMap<string, Resolution>
}

/** @throws RecordError GLOBS_TOO_COSTLY, RECORD_TOO_COSTLY */
export function performApplyTask(task: ApplyTask): AppliedRecord {
  const entries = decodeEntries(task.entries)
  const layers = task.layers.map(toSizedLayer)
  const budget = new RecordStepBudget(task.maxSteps)
  const resolved = resolveRecord({
    entries,
    layers: layers.map((layer) => layer.entries),
    manifestDigest: task.manifestDigest,
    budget,
    interpreters: task.interpreters,
  })
  const profiled = toProfiledImage(task.profiled, layers)
  const use = assessRecord({ entries, layers, resolved, profiled, origin: task.origin, budget })
  resolved.view.release()
  const { prioritized, unreadPrograms } = resolved
  return {
    use,
    prioritized,
    unreadPrograms,
    resolutions: task.returnResolutions ? resolved.resolutions : new Map(),
  }
}

function toProfiledImage(profiled: ProfiledLayers, targetLayers: readonly SizedLayer[]): ProfiledImage {
  if ('unknown' in profiled) return profiled
  const { name, manifestDigest } = profiled
  return {
    name,
    manifestDigest,
    layers: profiled.layers === 'same' ? targetLayers : profiled.layers.map(toSizedLayer),
  }
}
