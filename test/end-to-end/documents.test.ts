import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { LogLine } from '../support/broker-process.ts'
import {
  commandsOf,
  helpExamples,
  SESSION_LANGUAGE,
  SHELL_LANGUAGES,
} from '../support/documents/documented-commands.ts'
import { isOtherRoute, operationOf, requestsOf } from '../support/documents/documented-requests.ts'
import { CHECKOUT, type CodeBlock, readDocuments } from '../support/documents/read-documents.ts'
import { type Outcome, ReaderMachine, TOKEN } from '../support/documents/reader-machine.ts'
import { sendRequest } from '../support/documents/sample-requests.ts'
import { describeWithPeers, listMissingPeers, type Peer } from '../support/peers/peers.ts'
import { Terminal } from '../support/terminal.ts'

/** Commands that cannot run here, each with the reason and with what runs it instead. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'npm run quickstart': 'takes half a minute: .ci/run runs it with --exit',
  'npm test': 'runs all unit tests: .ci/run runs them',
  'docker push 127.0.0.1:8080/team/app:1.0':
    'needs a daemon: embedded-registry.test.ts pushes with skopeo, as the comment beside it says',
  'oras pull REFERENCE && tar -xzOf stargz.record.json.tar.gz stargz.record.json':
    'oras is built from its sources: registry-tools.test.ts runs both',
  'RECORD_BROKER_TOKEN=SECRET record-broker serve':
    'is `record-broker serve`, which runs, with a token: processes.test.ts',
  'promtool test rules alerts.test.yaml': 'metrics.test.ts runs it in ops/prometheus',
}

const EVENT_EVERY_MS = 200
/** The exit status after Ctrl-C. */
const CTRL_C = 130

/** Commands that run here, in a folder of their own. Any other is an error: it might do anything to the machine. */
const RUNNABLE =
  /^(record-broker|(node )?bin\/record-broker\.js|npx record-broker|npm start --|curl|strace|mkdir|\w+=\S+$) ?/

/** Programs that commands need besides bash, npm and Node. */
const NEEDS: readonly (readonly [RegExp, readonly Peer[]])[] = [
  [/^curl /, ['curl']],
  [/^strace |record capture/, ['strace']],
  [/record capture --image/, ['bwrap']],
  [/completion zsh/, ['zsh']],
]

/** Languages of blocks that other tests check, or that nothing runs. */
const LANGUAGES_ELSEWHERE: Readonly<Record<string, string>> = {
  ts: 'client.test.ts runs the programs of docs/client.md',
  promql: 'documents.test.ts of the unit tests compares the names of metrics',
  mermaid: 'is a picture',
  ini: 'tls.test.ts serves with these settings',
}

/** How a command runs that does not end by itself, or that a person answers. All others exit with status 0. */
const WAYS: readonly {
  readonly commands: RegExp
  readonly run: (machine: ReaderMachine, command: string) => Promise<Outcome>
  readonly status?: number
}[] = [
  {
    commands: /(record-broker(\.js)?|npm start --) (serve|worker)$/,
    run: (machine, command) =>
      machine.run(command, {
        settings: { RECORD_BROKER_LISTEN: '127.0.0.1:0' },
        until: /"msg":"(listening|working)"/,
      }),
    status: CTRL_C,
  },
  {
    commands: /(record-broker(\.js)?|npm start --) events\b/,
    run: async (machine, command) => {
      const running = machine.run(command, { until: /\n/ })
      const source = `${machine.broker.host}/team/app:1.0`
      // Without --after, a stream begins with the events after it was opened, and nobody outside sees when that was.
      for (let n = 0; (await Promise.race([running, delay(EVENT_EVERY_MS)])) === undefined; n++)
        await machine.broker.request('POST', '/v1/conversions', { source, target: `${source}-event-${n}` })
      return running
    },
    status: CTRL_C,
  },
  {
    commands: /\blogin \S+$/,
    run: async (machine, command) => {
      await using terminal = await Terminal.start(['bash', '-c', command], machine.environment())
      await terminal.waitFor(/Token for .*:/)
      terminal.type(`${TOKEN}\r`)
      return { status: await terminal.waitForExit(), out: terminal.output, err: '' }
    },
  },
  {
    // Other commands need the default project as it is at first.
    commands: /project set default /,
    run: async (machine, command) => {
      const outcome = await machine.run(command)
      const everything = { read: ['**'], write: ['**'], usesDockerConfig: true }
      await machine.broker.request('PUT', '/v1/projects/default', everything)
      return outcome
    },
  },
  { commands: /completion zsh/, run: (machine, command) => machine.run(command, { shell: 'zsh' }) },
]

const missingPeers = listMissingPeers()
const documents = readDocuments()
/** The examples of the help. They stand alone, also where a document repeats them. */
const examples = new Set(helpExamples().map(({ text }) => text))
const commands = documents.flatMap(commandsOf)
const shown = new Set(commands.map(({ text }) => text))
/** All commands by the documents that show them, each command of the help once. */
const sources = Object.entries(
  Object.groupBy(
    [...commands, ...helpExamples().filter(({ text }) => !shown.has(text))].filter(
      ({ text }) => !(text in NOT_RUN),
    ),
    ({ where }) => where.replace(/:\d+$/, ''),
  ),
)

const requests = documents
  .map((document) => [document.name, requestsOf(document)] as const)
  .filter(([, all]) => all.length > 0)

let machine: ReaderMachine
beforeAll(async () => {
  machine = await ReaderMachine.start()
})
afterAll(() => machine?.[Symbol.asyncDispose]())

describe.each(sources)('the commands of %s', (_, documented = []) => {
  it.for(documented)('$where: $text', async ({ text, output }, { skip }) => {
    expect(text, 'a command that is neither runnable nor listed').toMatch(RUNNABLE)
    skip(process.env.CI !== 'true' && missingPrograms(text).length > 0)
    const command = await machine.prepare(text, examples.has(text))
    const way = WAYS.find(({ commands }) => commands.test(command))
    const outcome = await (way ? way.run(machine, command) : machine.run(command))
    expect(outcome.status, `${command}\n${outcome.out}${outcome.err}`).toBe(way?.status ?? 0)
    if (!examples.has(text)) machine.ids.remember(command, outcome.out)
    expectShownOutput(output, outcome)
    if (/ --json( |$)/.test(command) && !command.includes(' > ')) expectJson(outcome.out)
  })
})

it('lists only commands of the documents as not run', () => {
  expect(commands.length).toBeGreaterThan(50)
  expect(Object.keys(NOT_RUN).filter((text) => !shown.has(text) && !examples.has(text))).toEqual([])
})

describe.each(requests)('the requests of %s', (_, all) => {
  it.each(all)('$where: $method $path', async (request) => {
    const operation = operationOf(request)
    expect(operation !== undefined || isOtherRoute(request.path), 'the route exists').toBe(true)
    const { status, text } = await sendRequest(machine, request)
    expect(status, text).toBeLessThan(300)
    if (operation) expect(Object.keys(operation.responses)).toContain(String(status))
  })
})

// Lists are policies, which access-document.test.ts tries.
describe.each(blocksOf('json').filter(({ text }) => !text.startsWith('[')))('$where', ({ text }) => {
  it('is what the broker shows', async () => {
    const shown = JSON.parse(text) as Readonly<Record<string, unknown>>
    if (typeof shown.code === 'string') {
      const { requestId: _, detail, ...others } = shown
      // The problem also quotes the path.
      const expected = {
        ...others,
        requestId: expect.any(String),
        detail: expect.stringContaining(String(detail)),
      }
      expect(await problemWith(shown.code)).toEqual(expected)
    } else if (typeof shown.msg === 'string') {
      expect(Object.keys(await logLineLike(shown)).sort()).toEqual(Object.keys(shown).sort())
    } else expect.unreachable('nobody knows where this JSON comes from')
  })
})

describe.each(blocksOf('js'))('$where', ({ text }) => {
  it('prints an event', async () => {
    await writeFile(
      join(machine.folder, 'program.mjs'),
      `const token = '${TOKEN}'\n${machine.concrete(text)}`,
    )
    const running = machine.run('node program.mjs', { until: /jobId/ })
    const source = `${machine.guarded.host}/team/app:1.0`
    for (let n = 0; (await Promise.race([running, delay(EVENT_EVERY_MS)])) === undefined; n++)
      await fetch(new URL('/v1/conversions', machine.guarded.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
        body: JSON.stringify({ source, target: `${source}-${n}` }),
      })
    const { out, err } = await running
    expect(out, err).toContain('jobId')
  })
})

describeWithPeers(['promtool'], 'promtool', () => {
  // The others are those of CI systems and clusters.
  const configurations = blocksOf('yaml').filter(({ text }) => text.includes('scrape_configs:'))
  it.each(configurations)('accepts $where', async ({ text }) => {
    await writeFile(join(machine.folder, 'prometheus.yml'), text)
    await copyFile(`${CHECKOUT}ops/prometheus/alerts.yaml`, join(machine.folder, 'alerts.yaml'))
    const { status, out, err } = await machine.run('promtool check config prometheus.yml')
    expect(status, out + err).toBe(0)
  })
})

it('knows what to do with every block of code', () => {
  const languages = new Set(documents.flatMap(({ blocks }) => blocks.map(({ language }) => language)))
  const known = [
    ...SHELL_LANGUAGES,
    SESSION_LANGUAGE,
    'json',
    'js',
    'yaml',
    ...Object.keys(LANGUAGES_ELSEWHERE),
  ]
  expect([...languages].filter((language) => !known.includes(language))).toEqual([])
})

function missingPrograms(command: string): Peer[] {
  const needed = NEEDS.flatMap(([commands, peers]) => (commands.test(command) ? peers : []))
  return needed.filter((peer) => missingPeers.includes(peer))
}

function blocksOf(language: string): CodeBlock[] {
  return documents.flatMap(({ blocks }) => blocks).filter((block) => block.language === language)
}

/** Provokes an error, and returns its problem document. */
async function problemWith(code: string): Promise<object> {
  if (code !== 'INVALID_RECORD') throw new Error(`nobody knows how to provoke ${code}`)
  return machine.broker.request('POST', '/v1/records?format=path-list', `/a\n/b\n/${'c'.repeat(5000)}\n`)
}

/** Returns the newest line of the log with the message, the method and the route of another one. */
async function logLineLike(shown: Readonly<Record<string, unknown>>): Promise<object> {
  const source = `${machine.broker.host}/team/app:1.0`
  await machine.broker.request('POST', '/v1/conversions', { source, target: `${source}-logged` })
  const isLike = (line: LogLine) =>
    ['msg', 'method', 'route', 'status'].every((name) => line[name] === shown[name])
  return vi.waitUntil(() => machine.broker.logLines.findLast(isLike))
}

/** The output has the words that the document shows, in their order. Numbers, ids and digests differ. */
function expectShownOutput(output: string, { out, err }: Outcome): void {
  const words = output.match(/\p{L}+(?![\p{L}\d])/gu) ?? []
  const pattern = new RegExp(words.map((word) => `\\b${word}\\b`).join('[^]*'))
  if (words.length > 0) expect(out + err).toMatch(pattern)
}

/** Every line is a JSON document, or all of them are one. */
function expectJson(out: string): void {
  try {
    JSON.parse(out)
  } catch {
    for (const line of out.trim().split('\n')) JSON.parse(line)
  }
}
