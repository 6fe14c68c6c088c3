import type { JobKind } from '../job.ts'

/** Selects events of the stream of all jobs. An omitted field selects all. `types` may name `progress`. */
export type EventFilter = {
  readonly kinds?: readonly JobKind[]
  readonly types?: readonly string[]
  /** All of these labels. */
  readonly labels?: Readonly<Record<string, string>>
}

/** Whether a filter selects an event of a job. */
export function isSelected(
  { kinds, types, labels = {} }: EventFilter,
  job: { readonly kind: JobKind; readonly labels: Readonly<Record<string, string>> },
  type: string,
): boolean {
  if (kinds && !kinds.includes(job.kind)) return false
  if (types && !types.includes(type)) return false
  return Object.entries(labels).every(([name, value]) => job.labels[name] === value)
}
