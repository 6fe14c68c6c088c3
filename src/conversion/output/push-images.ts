import { allOrAbort } from '../../concurrency/all-or-abort.ts'
import type { Digest } from '../../oci/digest.ts'
import { RegistryError } from '../../registry/errors.ts'
import type { ConvertedImage } from '../convert/convert-image.ts'
import type { RemovedNote } from '../report.ts'
import type { OpenedReference } from '../source/images.ts'
import type { Child, IndexTree } from '../source/index-tree.ts'
import type { Document } from './assemble-image.ts'
import { type AssembledIndexes, assembleIndexes } from './assemble-index.ts'
import { copyAttestation } from './attestations.ts'
import type { ConversionAnnotations } from './conversion-annotations.ts'
import { type ChildDecisions, dropMissing } from './index-children.ts'
import type { Target } from './target.ts'
import { assembleTocImage } from './toc-image.ts'

/** What the images of a conversion are pushed with. */
export type Push = {
  readonly opened: OpenedReference
  readonly madeOf: ConversionAnnotations
  readonly signal: AbortSignal
}

/** What an index was pushed as. */
export type PushedIndex = {
  readonly final: Document
  readonly fates: ChildDecisions
  readonly removed: readonly RemovedNote[]
}

/** Pushes the image of tables of contents that lie outside: before the image that cannot be read without them. */
export async function pushTocImage(
  converted: readonly ConvertedImage[],
  target: Target,
  { opened, madeOf, signal }: Push,
): Promise<{ reference: string; digest: Digest }> {
  const tables = new Map(
    converted.flatMap(({ layers }) =>
      layers.flatMap(({ digest, externalToc }) => (externalToc ? [[digest, externalToc] as const] : [])),
    ),
  )
  const record = sharedRecord(converted)
  const { config, manifest } = assembleTocImage(tables, (toc) =>
    madeOf.describe(toc, opened.descriptor, { record, isFinal: false }),
  )
  await target.repository.pushBytes(config.bytes, { signal })
  await target.moveTag(manifest, signal)
  return { reference: target.name, digest: manifest.descriptor.digest }
}

/** Pushes the one image of a manifest, then moves the tag. Answers what the tag stands for now. */
export async function pushImage(
  [only]: readonly ConvertedImage[],
  target: Target,
  signal: AbortSignal,
): Promise<Document> {
  if (!only) throw new RangeError('a manifest is one image')
  await target.repository.pushBytes(only.config.bytes, { signal })
  await target.moveTag(only.manifest, signal)
  return only.manifest
}

/** Pushes everything of an index that has no tag, then moves the tag. */
export async function pushIndex(
  tree: IndexTree,
  converted: readonly ConvertedImage[],
  fates: ChildDecisions,
  target: Target,
  push: Push,
): Promise<PushedIndex> {
  const { signal } = push
  await allOrAbort(converted, signal, (one, _, either) =>
    target.repository.pushBytes(one.config.bytes, { signal: either }),
  )
  for (const { manifest } of converted) await target.putByDigest(manifest, signal)
  const absent = await bringKept(fates, target, push)
  const present = dropMissing(fates, absent)
  if (!fates.keepsMissing || absent.size === 0) return pushAssembled(tree, converted, present, target, push)
  try {
    return await pushAssembled(tree, converted, fates, target, push)
  } catch (error) {
    // Some registries take no index with an entry for what they do not have.
    const isRefused =
      error instanceof RegistryError && (error.code === 'NOT_FOUND' || error.code === 'BAD_REQUEST')
    if (!isRefused) throw error
    return pushAssembled(tree, converted, present, target, push)
  }
}

/** Copies the attestations that are kept. Answers the children that the source's registry does not have. */
async function bringKept(
  { kept }: ChildDecisions,
  target: Target,
  { opened, signal }: Push,
): Promise<ReadonlySet<Child>> {
  const absent = new Set<Child>()
  for (const child of kept.keys()) {
    const isThere =
      child.kind === 'attestation'
        ? await copyAttestation(child.descriptor, opened.repository, target.repository, signal)
        : !(child.kind === 'other' && child.isMissing)
    if (!isThere) absent.add(child)
  }
  return absent
}

async function pushAssembled(
  tree: IndexTree,
  converted: readonly ConvertedImage[],
  fates: ChildDecisions,
  target: Target,
  { madeOf, signal }: Push,
): Promise<PushedIndex> {
  const record = sharedRecord(converted)
  const assembled: AssembledIndexes = assembleIndexes(tree, {
    images: new Map(converted.map((one) => [one.image.descriptor.digest, one.manifest.descriptor])),
    kept: new Set(fates.kept.keys()),
    describe: (index, source) =>
      madeOf.describe(index, source.descriptor, { record, isFinal: source === tree }),
  })
  for (const index of assembled.inner) await target.putByDigest(index, signal)
  await target.moveTag(assembled.final, signal)
  return { final: assembled.final, fates, removed: assembled.removed }
}

/** The record that all images were converted with. */
function sharedRecord(converted: readonly ConvertedImage[]): Digest | undefined {
  const [record, ...others] = new Set(converted.map((one) => one.record))
  return others.length === 0 ? record : undefined
}
