import type { ManifestNote } from '../report.ts'
import { type IndexChild, type IndexTree, MISSING_CHILD_REASON } from '../source/index-tree.ts'

/** The children of an index that are not converted, each with the reason. */
export type ChildDecisions = {
  readonly kept: ReadonlyMap<IndexChild, string>
  readonly dropped: ReadonlyMap<IndexChild, string>
  /** Whether kept children stay in the index even if the registry does not have them. */
  readonly keepsMissing: boolean
}

/** The type of SOCI artifacts, which describe the layers of the source: the result does not have these. */
const SOCI_ARTIFACT_TYPE = /^application\/vnd\.amazon\.soci\./

/**
 * Decides which of the children that are not converted are kept and which are dropped.
 * @param o.keepsAttestations whether attestations of converted images are kept
 * @param o.keepsUnconverted whether children that cannot be converted are kept
 * @param o.selectsPlatforms whether the request selects platforms: children for others are dropped silently
 */
export function decideChildren(
  tree: IndexTree,
  o: {
    readonly keepsAttestations: boolean
    readonly keepsUnconverted: boolean
    readonly selectsPlatforms: boolean
  },
): ChildDecisions {
  const kept = new Map<IndexChild, string>()
  const dropped = new Map<IndexChild, string>()
  const children = [...childrenOfConvertedIndexes(tree)]
  for (const child of children) {
    const reason = unconvertedReason(child, o.selectsPlatforms)
    if (reason === undefined) continue
    const isKept = o.keepsUnconverted && !SOCI_ARTIFACT_TYPE.test(child.descriptor.artifactType ?? '')
    const decisions = isKept ? kept : dropped
    decisions.set(child, reason)
  }
  const convertedDigests = collectDigests(children.filter(({ kind }) => kind === 'image'))
  const keptDigests = collectDigests(kept.keys())
  for (const child of children) {
    if (child.kind !== 'attestation') continue
    const { attestedDigest = '' } = child
    if (keptDigests.has(attestedDigest)) kept.set(child, 'an attestation of an image that is kept')
    else if (!convertedDigests.has(attestedDigest)) {
      if (!o.selectsPlatforms) dropped.set(child, 'an attestation of an image that the result does not have')
    } else if (o.keepsAttestations)
      kept.set(child, `an attestation; it still names the unconverted image ${attestedDigest}`)
    else dropped.set(child, 'an attestation of the unconverted image')
  }
  return { kept, dropped, keepsMissing: o.keepsUnconverted }
}

/** Returns the decisions with children that the registry does not have dropped instead of kept. */
export function dropMissing(
  { kept, dropped, keepsMissing }: ChildDecisions,
  missing: ReadonlySet<IndexChild>,
): ChildDecisions {
  const stillKept = [...kept].filter(([child]) => !missing.has(child))
  const alsoDropped = [...missing].map((child) => [child, MISSING_CHILD_REASON] as const)
  return { kept: new Map(stillKept), dropped: new Map([...dropped, ...alsoDropped]), keepsMissing }
}

/** Returns why a child is not converted; undefined for images, attestations and silently dropped children. */
function unconvertedReason(child: IndexChild, selectsPlatforms: boolean): string | undefined {
  if (child.kind === 'other') return child.reason
  if (child.kind !== 'index' || child.tree.hasImages || selectsPlatforms) return undefined
  return 'an index without a container image'
}

function* childrenOfConvertedIndexes(tree: IndexTree, seen = new Set<IndexTree>()): Generator<IndexChild> {
  if (seen.has(tree)) return
  seen.add(tree)
  for (const child of tree.children) {
    yield child
    if (child.kind === 'index' && child.tree.hasImages) yield* childrenOfConvertedIndexes(child.tree, seen)
  }
}

function collectDigests(children: Iterable<IndexChild>): ReadonlySet<string> {
  return new Set([...children].map(({ descriptor }) => descriptor.digest))
}

/** Converts decisions to the notes of a report. */
export function toManifestNotes(reasons: ReadonlyMap<IndexChild, string>): ManifestNote[] {
  return [...reasons].map(([{ descriptor }, reason]) => ({ digest: descriptor.digest, reason }))
}
