/** The position of the scan of the backing registry. Times are in milliseconds since 1970. */
export type ScanState = {
  /** The backing registry, `host[/prefix]`. Another one is scanned from its start. */
  readonly registry: string
  readonly phase: 'catalogue' | 'repositories' | 'idle'
  /** When this pass began. */
  readonly startedAt: number
  /** When the last complete pass began; 0: none was complete. */
  readonly comparedAt: number
  /** When the scan continues: after the pause between two passes, or after a failure. */
  readonly dueAt: number
  /** The repository that is being compared, and when that began. */
  readonly repository?: { readonly location: string; readonly startedAt: number } | undefined
  /** The last repository that is done. */
  readonly afterRepository?: string | undefined
  /** The last tag of the current repository that was compared. */
  readonly afterTag?: string | undefined
  /** The last known image of the current repository that was compared; set once its tags are. */
  readonly afterKnown?: { readonly tag: string; readonly id: string } | undefined
  /** Failures in a row at this position. */
  readonly failures: number
  /** Why the last attempt at this position failed. */
  readonly problem?: string | undefined
  /** Whether a part of this pass was skipped. */
  readonly isPartial?: boolean | undefined
}

/** The name of the scan in the database. */
export const REGISTRY_SCAN = 'registry'

export function initialState(registry: string): ScanState {
  return { registry, phase: 'catalogue', startedAt: 0, comparedAt: 0, dueAt: 0, failures: 0 }
}
