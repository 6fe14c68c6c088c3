const HIDDEN = '***'

/** What secrets look like in the texts of others, such as a registry that shows what it was sent. */
const SECRETS: readonly [RegExp, string][] = [
  // The value of an Authorization header.
  [/\b(basic|bearer)\s+[\w+/=.~-]{8,}/gi, `$1 ${HIDDEN}`],
  // A signed token (JWT).
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, HIDDEN],
  // The query of an address, which may be signed.
  [/(?<=[\w/.%-])\?[^\s"'<>()=]+=[^\s"'<>()]*/g, `?${HIDDEN}`],
  // The user and the password in an address.
  [/:\/\/[^\s/@"']+@/g, `://${HIDDEN}@`],
  [/\b(password|passwd|secret|token|signature)("?\s*[=:]\s*"?)[^\s"',;&]{8,}/gi, `$1$2${HIDDEN}`],
]

/** Hides what may be a secret in an untrusted text that an error or a log line quotes. */
export function redact(text: string): string {
  return SECRETS.reduce((redacted, [pattern, replacement]) => redacted.replace(pattern, replacement), text)
}
