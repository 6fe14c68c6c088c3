import { wordsOf } from '../db/terms/words.ts'
import type { HostNames } from '../oci/host-names.ts'
import type { Reference } from '../oci/reference.ts'
import { CREATED_ANNOTATION } from '../records/images/pack-record-image.ts'
import { imageDigestsOf, tryParseReference } from '../records/profiled-digest.ts'
import { namesOf } from '../records/record-terms.ts'
import type { Content, ImageContent, RecordContent } from './content.ts'
import { canonical, locationName } from './location.ts'

/** Labels and annotations of one image that can be searched. */
const MAX_LABELS = 100
const MAX_LABEL_LENGTH = 320
/**
 * The longest value of a term, in characters: PostgreSQL indexes up to 2704 bytes. It also stores no NUL.
 */
const MAX_VALUE_LENGTH = 600
/** Ends of a tag that can be the name of a workload. */
const MAX_TAG_ENDS = 10
const OWN_ANNOTATIONS = 'io.record-broker.'

/** The listings of the catalogue of images. Each has terms of its own. */
export type Listing = 'record' | 'image'

type TermKind =
  | 'all'
  /** The repository that has the image. */
  | 'location'
  /** The repository of a record image that names no profiled image. */
  | 'nameless'
  /** The profiled image: its repository, with or without the tag. Of other images, their own tag. */
  | 'image'
  | 'digest'
  | 'workload'
  | 'label'
  | 'word'

/** Returns the term for a property of the images of a listing. */
export function imageTerm(listing: Listing, kind: TermKind, value = ''): string {
  return `${listing} ${kind} ${value}`
}

/** An image with its place. `labels` are those of the stored record that it was published from. */
export type TermSource = {
  readonly reference: Reference
  readonly digest: string
  readonly content: Content
  readonly labels?: Readonly<Record<string, string>> | undefined
}

/** Returns the terms by which an image is found. */
export function termsOf(source: TermSource, names: HostNames): string[] {
  const { reference, content } = source
  const listing: Listing = content.kind === 'record' ? 'record' : 'image'
  const properties =
    content.kind === 'record' ? recordTerms(source, content, names) : imageTerms(source, content)
  const labels = Object.entries({ ...searchedAnnotations(content), ...source.labels })
  return [
    ['all', ''] as const,
    ['location', locationName(reference)] as const,
    ...labels
      .map(([name, value]) => `${name}=${value}`)
      .filter((label) => label.length <= MAX_LABEL_LENGTH)
      .slice(0, MAX_LABELS)
      .map((label) => ['label', label] as const),
    ...properties,
  ]
    .filter(([, value]) => value.length <= MAX_VALUE_LENGTH && !value.includes('\0'))
    .map(([kind, value]) => imageTerm(listing, kind, value))
}

type Property = readonly [kind: TermKind, value: string]

function recordTerms({ reference }: TermSource, content: RecordContent, names: HostNames): Property[] {
  const { image, workload } = content
  const { tag } = reference
  const named = tryParseReference(image)
  const profiled = named && canonical(names, named)
  const workloads = workload === undefined ? tagEnds(tag) : [workload]
  return [
    ...(profiled
      ? namesOf(profiled).map((name) => ['image', name] as const)
      : [['nameless', locationName(reference)] as const]),
    ...imageDigestsOf(content).map((digest) => ['digest', digest] as const),
    ...workloads.map((name) => ['workload', name] as const),
    ...words(reference.repository, tag, workload, profiled?.repository, profiled?.tag),
  ]
}

function imageTerms({ reference, digest }: TermSource, { children = [] }: ImageContent): Property[] {
  const { tag } = reference
  return [
    ...(tag === undefined ? [] : [['image', `${locationName(reference)}:${tag}`] as const]),
    ...[digest, ...children.map((child) => child.digest)].map((one) => ['digest', one] as const),
    ...words(reference.repository, tag),
  ]
}

function words(...texts: readonly (string | undefined)[]): Property[] {
  return wordsOf(...texts).map((word) => ['word', word] as const)
}

/** The tag of a record image without annotations is `record-<tag>-<workload>`: any end may be the workload. */
function tagEnds(tag = ''): string[] {
  if (!tag.startsWith('record-')) return []
  const parts = tag.split('-').slice(2)
  return parts.map((_, start) => parts.slice(start).join('-')).slice(-MAX_TAG_ENDS)
}

/** The annotations that have no field of their own. */
function searchedAnnotations({ annotations = {} }: Content): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).filter(
      ([name]) => !name.startsWith(OWN_ANNOTATIONS) && name !== CREATED_ANNOTATION,
    ),
  )
}
