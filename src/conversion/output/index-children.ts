import type { ManifestNote } from '../report.ts'
import { type Child, type IndexTree, MISSING } from '../source/index-tree.ts'

/** What becomes of the children of an index that are not converted, each with the reason. */
export type ChildDecisions = {
  readonly kept: ReadonlyMap<Child, string>
  readonly dropped: ReadonlyMap<Child, string>
  /** Whether a kept child stays even if the registry does not have it. */
  readonly keepsMissing: boolean
}

/** Artifacts that describe the layers of the source, which the result does not have. */
const OF_LAYERS = /^application\/vnd\.amazon\.soci\./

/**
 * Decides which children stay as they are, and which are left out.
 * @param o.keepsAttestations whether those of converted images stay
 * @param o.keepsOthers whether what cannot be converted stays
 * @param o.isChoice whether platforms were chosen: what was not is left out without a word
 */
export function decideChildren(
  tree: IndexTree,
  o: { readonly keepsAttestations: boolean; readonly keepsOthers: boolean; readonly isChoice: boolean },
): ChildDecisions {
  const kept = new Map<Child, string>()
  const dropped = new Map<Child, string>()
  const children = [...reached(tree)]
  for (const child of children) {
    const why = whyNotConverted(child, o.isChoice)
    if (why === undefined) continue
    const stays = o.keepsOthers && !OF_LAYERS.test(child.descriptor.artifactType ?? '')
    ;(stays ? kept : dropped).set(child, why)
  }
  const images = digestsOf(children.filter(({ kind }) => kind === 'image'))
  const unchanged = digestsOf(kept.keys())
  for (const child of children) {
    if (child.kind !== 'attestation') continue
    const { about = '' } = child
    if (unchanged.has(about)) kept.set(child, 'an attestation about an image that is kept')
    else if (!images.has(about)) {
      if (!o.isChoice) dropped.set(child, 'an attestation about nothing that the result has')
    } else if (o.keepsAttestations)
      kept.set(child, `an attestation; it still names the unconverted image ${about}`)
    else dropped.set(child, 'an attestation about the unconverted image')
  }
  return { kept, dropped, keepsMissing: o.keepsOthers }
}

/** The fates when children that should be kept are not there. */
export function dropMissing(
  { kept, dropped, keepsMissing }: ChildDecisions,
  absent: ReadonlySet<Child>,
): ChildDecisions {
  const left = [...kept].filter(([child]) => !absent.has(child))
  const missing = [...absent].map((child) => [child, MISSING] as const)
  return { kept: new Map(left), dropped: new Map([...dropped, ...missing]), keepsMissing }
}

/** Why a child is not converted; undefined for one that is, or that says of itself what becomes of it. */
function whyNotConverted(child: Child, isChoice: boolean): string | undefined {
  if (child.kind === 'other') return child.reason
  if (child.kind !== 'index' || child.tree.hasImages || isChoice) return undefined
  return 'an index without a container image'
}

/** The children of all indexes that are converted. */
function* reached(tree: IndexTree, seen = new Set<IndexTree>()): Generator<Child> {
  if (seen.has(tree)) return
  seen.add(tree)
  for (const child of tree.children) {
    yield child
    if (child.kind === 'index' && child.tree.hasImages) yield* reached(child.tree, seen)
  }
}

function digestsOf(children: Iterable<Child>): ReadonlySet<string> {
  return new Set([...children].map(({ descriptor }) => descriptor.digest))
}

/** Fates as the report tells them. */
export function notesOf(fates: ReadonlyMap<Child, string>): ManifestNote[] {
  return [...fates].map(([{ descriptor }, reason]) => ({ digest: descriptor.digest, reason }))
}
