/** Strips the prefix that a log collector added to a line; undefined for a line without that prefix. */
export type StripPrefix = (text: string) => string | undefined

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals use it for colours.
const COLOURS = /\x1b\[[0-9;]*m/g
const TIME = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?`

const PREFIXES: readonly RegExp[] = [
  // Log files of container runtimes (CRI), and GitLab jobs.
  new RegExp(`^${TIME} (?:stdout|stderr) [FP] `),
  new RegExp(String.raw`^${TIME} \d\d[OE][ +]`),
  // syslog and the journal, with either format of time.
  new RegExp(
    String.raw`^(?:${TIME}|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?) \S+ [^\s:[\]]+(?:\[\d+\])?: `,
  ),
  // `kubectl logs --timestamps`, `docker logs -t`, GitHub Actions.
  new RegExp(`^${TIME}[ \\t]+`),
  // `docker compose logs`.
  /^[\w.-]+ +\| ?/,
  // `kubectl logs --prefix`.
  /^\[(?:pod|deployment|job|container)[/\w.-]*\] /,
  // stern.
  /^[\w.-]+ (?:› )?[\w.-]+ (?:│ )?/,
]

/** Returns the line that docker's `json-file` log driver wrapped in an object. */
const stripJsonFile: StripPrefix = (text) => {
  if (!/^\{"log":"/.test(text)) return undefined
  try {
    const { log } = JSON.parse(text) as { log?: unknown }
    return typeof log === 'string' ? log.replace(/\r?\n$/, '') : undefined
  } catch {
    return undefined
  }
}

const SINGLE: readonly StripPrefix[] = [
  stripJsonFile,
  ...PREFIXES.map((prefix): StripPrefix => {
    return (text) => {
      const uncoloured = text.includes('\x1b') ? text.replace(COLOURS, '') : text
      const [match] = prefix.exec(uncoloured) ?? []
      return match === undefined ? undefined : uncoloured.slice(match.length)
    }
  }),
]

/** Two collectors may have added a prefix: compose puts a name before the time that docker added. */
const DOUBLE: readonly StripPrefix[] = SINGLE.flatMap((outer) =>
  SINGLE.map((inner): StripPrefix => {
    return (text) => {
      const line = outer(text)
      return line === undefined ? undefined : inner(line)
    }
  }),
)

/** Returns the first prefix that, once stripped, leaves a line that `isKnown` accepts. */
export function findPrefix(text: string, isKnown: (line: string) => boolean): StripPrefix | undefined {
  return [...SINGLE, ...DOUBLE].find((strip) => {
    const line = strip(text)
    return line !== undefined && isKnown(line)
  })
}
