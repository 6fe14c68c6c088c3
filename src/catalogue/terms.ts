import type { ProjectScope } from '../db/project-scope.ts'
import type { TermFilter } from '../db/terms/term-query.ts'
import { wordsOf } from '../db/terms/words.ts'
import type { HostNames } from '../oci/host-names.ts'
import type { Reference } from '../oci/reference.ts'
import { CREATED_ANNOTATION } from '../records/images/pack-record-image.ts'
import { imageDigestsOf, tryParseReference } from '../records/profiled-digest.ts'
import { namesOf } from '../records/record-terms.ts'
import type { Content, ImageContent, RecordContent } from './content.ts'
import type { PublishedFrom } from './image-document.ts'
import { canonical, locationName } from './location.ts'
import { type PlaceTerms, placeTermsOf } from './visible-repositories.ts'

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
  /** The repository that has the image, and each path above it, such as `host/` and `host/team/`. */
  | 'location'
  | 'in'
  /** The repository of a record image that names no profiled image. */
  | 'nameless'
  /** The profiled image: its repository, with or without the tag. Of other images, their own tag. */
  | 'image'
  | 'digest'
  | 'workload'
  /** Annotations of the image, and labels of stored records. */
  | 'label'
  /** Annotations only, which everybody sees who sees the image. */
  | 'annotation'
  /** Labels of a stored record, after the name of its project. */
  | 'project-label'
  | 'word'

/** Returns the term for a property of the images of a listing. */
export function imageTerm(listing: Listing, kind: TermKind, value = ''): string {
  return `${listing} ${kind} ${value}`
}

/** The terms for the place of an image. */
export function placeTerms(listing: Listing): PlaceTerms {
  return {
    at: (name) => imageTerm(listing, 'location', name),
    in: (path) => imageTerm(listing, 'in', path),
  }
}

/** The filter for a label that a scope sees. */
export function labelFilter(listing: Listing, label: string, { seesAll, project }: ProjectScope): TermFilter {
  if (seesAll) return { anyOf: [imageTerm(listing, 'label', label)] }
  return {
    anyOf: [
      imageTerm(listing, 'annotation', label),
      imageTerm(listing, 'project-label', projectLabel(project, label)),
    ],
  }
}

function projectLabel(project: string, label: string): string {
  return `${project} ${label}`
}

/** An image with its place, and the stored records that it was published from. */
export type TermSource = {
  readonly reference: Reference
  readonly digest: string
  readonly content: Content
  readonly publishedFrom?: readonly PublishedFrom[] | undefined
}

/** Returns the terms by which an image is found. */
export function termsOf(source: TermSource, names: HostNames): string[] {
  const { reference, content } = source
  const listing: Listing = content.kind === 'record' ? 'record' : 'image'
  const properties =
    content.kind === 'record' ? recordTerms(source, content, names) : imageTerms(source, content)
  const own = [['all', ''] as const, ...labelTerms(source), ...properties]
  return [
    ...placeTermsOf(reference, placeTerms(listing)),
    ...own
      .filter(([, value]) => value.length <= MAX_VALUE_LENGTH && !value.includes('\0'))
      .map(([kind, value]) => imageTerm(listing, kind, value)),
  ]
}

function labelTerms({ content, publishedFrom = [] }: TermSource): Property[] {
  const labelsOf = (labels: Readonly<Record<string, string>>) =>
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .filter((label) => label.length <= MAX_LABEL_LENGTH)
      .slice(0, MAX_LABELS)
  const annotations = labelsOf(searchedAnnotations(content))
  const ofRecords = publishedFrom.flatMap(({ project, labels }) =>
    labelsOf(labels).map((label) => ({ project, label })),
  )
  return [
    ...[...annotations, ...ofRecords.map(({ label }) => label)].map((label) => ['label', label] as const),
    ...annotations.map((label) => ['annotation', label] as const),
    ...ofRecords.map(({ project, label }) => ['project-label', projectLabel(project, label)] as const),
  ]
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
