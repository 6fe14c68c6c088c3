import { DocumentError } from './document-error.ts'

/** Docker's image manifest v2 schema 1, with signatures or without; deprecated since 2017. */
const SCHEMA_1_TYPE = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/

/** What to do about an image in Docker's old format. */
export const SCHEMA_1_HELP =
  "it is in Docker's schema 1, which has no config and is not read here: push it again with a current Docker, or copy it with a tool that converts it to OCI"

/** Whether a manifest is of Docker's schema 1: by its media type, or by its `schemaVersion` where that says nothing. */
export function isSchema1(mediaType: string, schemaVersion: unknown): boolean {
  return schemaVersion === 1 || SCHEMA_1_TYPE.test(mediaType)
}

/** Whether the words of a registry are about such a manifest. */
export function namesSchema1(text: string): boolean {
  return /distribution\.manifest\.v1\+/.test(text)
}

/** @param what names the manifest */
export function schema1Error(what: string): DocumentError {
  return new DocumentError(`${what} cannot be read: ${SCHEMA_1_HELP}`)
}
