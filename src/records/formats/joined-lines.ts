/** The result of a call of strace, perhaps with the path of a descriptor, and the start of another call. */
const JOINED_CALLS = /\)\s+= -?\d+(?:<[^>]{0,4096}>)?[^"<]{0,200}?[a-z]\w{0,30}\(/
/** The end of an object and the start of the next one, as JSON lines have them in different lines. */
const JOINED_OBJECTS = /^\s*\{"[^{}]*\}\s*\{"/

/**
 * Describes a record whose lines were joined before they were sent. Reading it as one line would lose all
 * entries but the first.
 * @param text the only line, or its start
 */
export function describeJoinedLines(text: string): string | undefined {
  const joined = JOINED_CALLS.test(text) ? 'calls' : JOINED_OBJECTS.test(text) ? 'entries' : undefined
  return (
    joined &&
    `the record has several ${joined} in one line, and no line break: curl removes line breaks with -d; use --data-binary`
  )
}
