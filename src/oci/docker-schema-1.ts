import { DocumentError } from './document-error.ts'

/** Docker's image manifest v2 schema 1, signed or unsigned; deprecated since 2017. */
const SCHEMA_1_TYPE = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/

/** The advice for an image in Docker's old format. */
export const SCHEMA_1_HELP =
  "it uses Docker's schema 1, which has no config and is not supported; push it again with a current Docker, or copy it with a tool that converts it to OCI"

/**
 * Whether a manifest uses Docker's schema 1, by its media type, or by its `schemaVersion` if the media type
 * does not say so.
 */
export function isSchema1(mediaType: string, schemaVersion: unknown): boolean {
  return schemaVersion === 1 || SCHEMA_1_TYPE.test(mediaType)
}

/** Whether an error message of a registry is about such a manifest. */
export function mentionsSchema1(text: string): boolean {
  return /distribution\.manifest\.v1\+/.test(text)
}

/** Creates the error for such a manifest. @param label names it, for instance "manifest sha256:…" */
export function schema1Error(label: string): DocumentError {
  return new DocumentError(`${label} cannot be read: ${SCHEMA_1_HELP}`)
}
