/** Bytes that do not hold the OCI document they should; the message names the field. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
  readonly code = 'INVALID_DOCUMENT'
}
