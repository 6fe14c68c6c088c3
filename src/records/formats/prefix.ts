/** Takes off what a collector of logs put before a line; undefined for a line that has none of it. */
export type Strip = (text: string) => string | undefined

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what terminals are told colours with.
const COLOURS = /\x1b\[[0-9;]*m/g
const TIME = String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?`

const PREFIXES: readonly RegExp[] = [
  // The runtime's log files (CRI), and the jobs of GitLab.
  new RegExp(`^${TIME} (?:stdout|stderr) [FP] `),
  new RegExp(String.raw`^${TIME} \d\d[OE][ +]`),
  // syslog and the journal, with either kind of time.
  new RegExp(
    String.raw`^(?:${TIME}|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?) \S+ [^\s:[\]]+(?:\[\d+\])?: `,
  ),
  // `kubectl logs --timestamps`, `docker logs -t`, GitHub Actions.
  new RegExp(String.raw`^${TIME}[ \t]+`),
  // `docker compose logs`.
  /^[\w.-]+ +\| ?/,
  // `kubectl logs --prefix`.
  /^\[(?:pod|deployment|job|container)[/\w.-]*\] /,
  // stern.
  /^[\w.-]+ (?:› )?[\w.-]+ (?:│ )?/,
]

/** The line of a container as docker's `json-file` keeps it. */
const stripJson: Strip = (text) => {
  if (!/^\{"log":"/.test(text)) return undefined
  try {
    const { log } = JSON.parse(text) as { log?: unknown }
    return typeof log === 'string' ? log.replace(/\r?\n$/, '') : undefined
  } catch {
    return undefined
  }
}

const STRIPS: readonly Strip[] = [
  stripJson,
  ...PREFIXES.map((prefix): Strip => {
    return (text) => {
      const plain = text.includes('\x1b') ? text.replace(COLOURS, '') : text
      const [whole] = prefix.exec(plain) ?? []
      return whole === undefined ? undefined : plain.slice(whole.length)
    }
  }),
]

/** Two collectors may have seen a line: compose puts a name before the time that docker put there. */
const TWICE: readonly Strip[] = STRIPS.flatMap((outer) =>
  STRIPS.map((inner): Strip => {
    return (text) => {
      const rest = outer(text)
      return rest === undefined ? undefined : inner(rest)
    }
  }),
)

/** The first way to take a prefix off a line that leaves what `isKnown`; undefined where there is none. */
export function prefixOf(text: string, isKnown: (rest: string) => boolean): Strip | undefined {
  return [...STRIPS, ...TWICE].find((strip) => {
    const rest = strip(text)
    return rest !== undefined && isKnown(rest)
  })
}
