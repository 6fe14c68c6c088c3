/** Bytes are not the expected OCI document. The message names the field. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
  readonly code = 'INVALID_DOCUMENT'
}
