/** Reads a text in the exposition format of Prometheus: one value for each name with labels. */
export class MetricsText {
  readonly text: string
  readonly #values = new Map<string, number>()

  constructor(text: string) {
    this.text = text
    for (const line of text.split('\n')) {
      const [, name = '', labels = '', value] = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? []
      if (value !== undefined)
        this.#values.set(keyOf(name, labels.match(/[a-z_]+="[^"]*"/g) ?? []), Number(value))
    }
  }

  static async fetch(url: string): Promise<MetricsText> {
    const response = await fetch(new URL('/metrics', url))
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
    return new MetricsText(await response.text())
  }

  /** The value of `name` with exactly these labels. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    return this.#values.get(
      keyOf(
        name,
        Object.entries(labels).map(([label, value]) => `${label}="${value}"`),
      ),
    )
  }

  /** All values of `name` whose labels contain these, added up. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
    return [...this.#values]
      .filter(([key]) => key.startsWith(`${name}{`) && wanted.every((label) => key.includes(label)))
      .reduce((sum, [, value]) => sum + value, 0)
  }

  /** The names of all series. */
  get names(): ReadonlySet<string> {
    return new Set([...this.#values.keys()].map((key) => key.slice(0, key.indexOf('{'))))
  }
}

function keyOf(name: string, labels: readonly string[]): string {
  return `${name}{${labels.toSorted().join(',')}}`
}
