import type { ProfileNotes } from './model.ts'
import type { Provenance } from './provenance.ts'

type StoredRoot = { readonly root: string; readonly paths?: number; readonly pathCount?: number }

/** Parses stored notes. Earlier releases stored `paths` instead of `pathCount`. */
export function parseNotes(text: string): ProfileNotes {
  const { roots, ...notes } = JSON.parse(text) as Omit<ProfileNotes, 'roots'> & {
    readonly roots?: StoredRoot[]
  }
  if (!roots) return notes
  return {
    roots: roots.map(({ root, paths = 0, pathCount = paths }) => ({ root, pathCount })),
    ...notes,
  }
}

/** Parses a stored provenance. Earlier releases stored `lost` instead of `lostCount`. */
export function parseProvenance(text: string): Provenance {
  const { lost, ...provenance } = JSON.parse(text) as Provenance & { readonly lost?: number }
  return lost === undefined ? provenance : { ...provenance, lostCount: lost }
}
