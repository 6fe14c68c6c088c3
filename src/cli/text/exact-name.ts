/** Names an image with its digest, once: the reference of an image without a tag has it already. */
export function exactName({
  reference,
  digest,
}: {
  readonly reference: string
  readonly digest: string
}): string {
  return reference.includes('@') ? reference : `${reference}@${digest}`
}
