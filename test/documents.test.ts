import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SETTINGS } from '../src/app/config/config.ts'
import { BoundSettings } from '../src/app/config/config-bounds.ts'
import { httpStatusOf } from '../src/http/error-status.ts'
import { commandsOf } from './support/documents/documented-commands.ts'
import { isOtherRoute, operationOf, requestsOf } from './support/documents/documented-requests.ts'
import { CHECKOUT, readDocuments } from './support/documents/read-documents.ts'
import { readSession, splitShellCommands } from './support/documents/shell-commands.ts'

const read = (name: string) => readFileSync(`${CHECKOUT}${name}`, 'utf8')
const documents = readDocuments()
const spans = documents.flatMap((document) => document.spans)
const sources = ['src', 'test'].flatMap((folder) =>
  readdirSync(`${CHECKOUT}${folder}`, { recursive: true, encoding: 'utf8' }).map(
    (path) => `${folder}/${path}`,
  ),
)

/** Variables that are not in the list of settings, with what reads them. */
const OTHER_VARIABLES: Readonly<Record<string, string>> = {
  RECORD_BROKER_CONFIG: 'names the file of settings',
  OTEL_EXPORTER_OTLP_HEADERS: 'is read by the exporter of OpenTelemetry',
  OTEL_EXPORTER_OTLP_TIMEOUT: 'is read by the exporter of OpenTelemetry',
}
/** Settings of other programs that the broker understands, too: the help lists them. */
const UNDOCUMENTED_SETTINGS: readonly string[] = [
  'LOG_LEVEL',
  'DOCKER_CONFIG',
  'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
]

/** Words in capitals that are no codes of errors. */
const NOT_CODES: ReadonlySet<string> = new Set(['PATH_MAX', 'HTTP_PROXY', 'HTTPS_PROXY'])

describe('the documents', () => {
  it.each(documents)('$name links to pages and headings that exist', ({ name, links }) => {
    const broken = links.filter(({ text }) => {
      if (/^[a-z]+:/.test(text)) return false
      const [path = '', anchor] = text.split('#')
      const target = path === '' ? name : posix.join(posix.dirname(name), path)
      if (anchor === undefined) return !existsSync(`${CHECKOUT}${target}`)
      return !documents.find((document) => document.name === target)?.anchors.has(anchor)
    })
    expect(broken).toEqual([])
  })

  it('name settings that exist, and all of them', () => {
    const settings = new Set(SETTINGS.map(({ name }) => name))
    const text = documents.map((document) => document.text).join('\n')
    const named = new Set(text.match(/\b(RECORD_BROKER|OTEL)_[A-Z_]*[A-Z]\b/g))
    expect([...named].filter((name) => !settings.has(name)).sort()).toEqual(
      Object.keys(OTHER_VARIABLES).sort(),
    )
    const missing = [...settings].filter((name) => !new RegExp(`\\b${name}\\b`).test(text))
    expect(missing.filter((name) => !UNDOCUMENTED_SETTINGS.includes(name))).toEqual([])
  })

  it('name routes that exist', () => {
    const requests = documents.flatMap(requestsOf)
    expect(requests.length).toBeGreaterThan(50)
    expect(requests.filter((request) => !operationOf(request) && !isOtherRoute(request.path))).toEqual([])
  })

  it('name codes of errors that exist, with their status', () => {
    const code = sources
      .filter((name) => /^src\/.*\.ts$/.test(name) && !name.endsWith('.test.ts'))
      .map((name) => readFileSync(`${CHECKOUT}${name}`, 'utf8'))
      .join('\n')
    // The reference of commands has the names of their arguments in capitals.
    const codes = documents
      .filter(({ name }) => name !== 'docs/cli.md')
      .flatMap((document) => document.spans)
      .filter(({ text }) => /^[A-Z]{3,}(_[A-Z]+)*$/.test(text) && !NOT_CODES.has(text))
    const settings = new Set(SETTINGS.map(({ name }) => name))
    const unknown = codes.filter(
      ({ text }) =>
        !settings.has(text) && !(text in OTHER_VARIABLES) && !new RegExp(`\\b${text}\\b`).test(code),
    )
    expect(unknown).toEqual([])
    const pairs = documents.flatMap(({ text }) => [...text.matchAll(/\b(\d{3}) `([A-Z]+(?:_[A-Z]+)*)`/g)])
    expect(pairs.length).toBeGreaterThan(20)
    const wrong = pairs.filter(
      ([, status = '', name = '']) =>
        httpStatusOf(name) !== Number(status) && !new RegExp(`\\b${status},\\s*'${name}'`).test(code),
    )
    expect(wrong.map(([text]) => text)).toEqual([])
  })

  it('name metrics that docs/operations.md describes', () => {
    // metrics.test.ts compares those with a broker.
    const described = new Set(read('docs/operations.md').match(/(?<=^\| `)record_broker_[a-z_]+(?=`)/gm))
    const named = documents.flatMap(({ text }) => text.match(/\brecord_broker_[a-z_]+/g) ?? [])
    expect(named.filter((name) => !described.has(name.replace(/_(bucket|sum|count)$/, '')))).toEqual([])
  })

  it('name scripts of npm and of CI that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as {
      readonly scripts: Readonly<Record<string, string>>
    }
    const lines = [...spans, ...documents.flatMap(commandsOf)].map(({ text }) => text)
    const named = lines.flatMap((line) => [...line.matchAll(/\bnpm (?:run )?([a-z][a-z:-]*)/g)])
    expect(named.length).toBeGreaterThan(20)
    const builtIn = ['pack', 'ci', 'install']
    const unknown = named.filter(
      ([command, name = '']) => !(name in scripts) && !(builtIn.includes(name) && command === `npm ${name}`),
    )
    expect(unknown.map(([command]) => command)).toEqual([])
    const files = lines.flatMap((line) => line.match(/^\.ci\/[a-z-]+(?:\/[a-z-]+)*/) ?? [])
    expect(files.filter((file) => !existsSync(`${CHECKOUT}${file}`))).toEqual([])
  })
})

describe('commands in documents', () => {
  it('end at a line break that is neither quoted nor escaped', () => {
    const block = "a 'b # c\n d' \\\n  e   # comment\n\n# comment\nf \"$(g 'h')\" #i\nj #"
    expect(splitShellCommands(block)).toEqual(["a 'b # c\n d' \\\n  e", 'f "$(g \'h\')"', 'j'])
  })

  it('of a session come with their output', () => {
    expect(readSession('$ a \\\n  b\none\ntwo\n$ c')).toEqual([
      { text: 'a \\\n  b', output: 'one\ntwo' },
      { text: 'c', output: '' },
    ])
    expect(() => readSession('a')).toThrow('begins without')
  })
})

describe('docs/reliability.md', () => {
  const page = read('docs/reliability.md')

  it.each(Object.entries(BoundSettings))('has a row for %s with its default', (name, schema) => {
    expect(page).toContain(`| \`${name}\` | ${schema.parse(undefined)} |`)
  })

  it('names only settings and tests that exist', () => {
    const settings = new Set(SETTINGS.map(({ name }) => name))
    const files = sources.map((path) => basename(path))
    const named = page.match(/RECORD_BROKER_[A-Z_]+/g) ?? []
    expect(named.filter((name) => !settings.has(name))).toEqual([])
    const tests = page.match(/[a-z-]+(\.slow)?\.(test|faults)\.ts/g) ?? []
    expect(tests.length).toBeGreaterThan(10)
    expect(tests.filter((name) => !files.includes(name))).toEqual([])
  })
})
