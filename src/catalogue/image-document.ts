import { DEFAULT_PROJECT, type ProjectScope } from '../db/project-scope.ts'
import type { Labels } from '../records/stored-record.ts'
import type { Content, RecordContent } from './content.ts'

/** A stored record that a record image was published from. It belongs to a project. */
export type PublishedFrom = {
  readonly project: string
  readonly recordId: string
  readonly labels: Labels
}

/** The document of a record image: what its registry shows, and the records that it was published from. */
type StoredDocument = RecordContent & {
  readonly publishedFrom?: readonly PublishedFrom[]
  /** As earlier releases stored them, which had one project. */
  readonly recordId?: string
  readonly labels?: Labels
}

export function formatDocument(content: Content, publishedFrom: readonly PublishedFrom[]): string {
  return JSON.stringify({ ...content, ...(publishedFrom.length > 0 && { publishedFrom }) })
}

/** Reads a document, and separates what the registry shows from what belongs to projects. */
export function parseDocument(text: string): {
  readonly content: Content
  readonly publishedFrom: readonly PublishedFrom[]
} {
  const { publishedFrom, recordId, labels, ...content } = JSON.parse(text) as StoredDocument
  const former = recordId === undefined ? [] : [{ project: DEFAULT_PROJECT, recordId, labels: labels ?? {} }]
  return { content, publishedFrom: publishedFrom ?? former }
}

/** The record and its labels that a scope sees. */
export function visibleRecord(
  publishedFrom: readonly PublishedFrom[],
  scope: ProjectScope,
): { readonly recordId: string; readonly labels: Labels } | undefined {
  const visible = publishedFrom.find(({ project }) => scope.includes(project))
  return visible && { recordId: visible.recordId, labels: visible.labels }
}
