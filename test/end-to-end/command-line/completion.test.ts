import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { command } from '../../support/command.ts'
import { describeWithPeers } from '../../support/peers/peers.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { Terminal } from '../../support/terminal.ts'

const BIN = fileURLToPath(new URL('../../../bin/record-broker.js', import.meta.url))

/** How each shell starts without the configuration of the user, and loads a completion. */
const SHELLS = {
  bash: {
    start: ['bash', '--norc', '--noprofile', '-i'],
    load: (path: string) => `PS1='$ '; source ${path}`,
  },
  zsh: {
    start: ['zsh', '-f', '-i'],
    load: (path: string) => `PS1='$ '; autoload -U compinit; compinit -D -u; source ${path}`,
  },
  fish: {
    start: ['fish', '--no-config', '-i'],
    load: (path: string) => `function fish_prompt; echo -n '$ '; end; source ${path}`,
  },
} as const
type Shell = keyof typeof SHELLS

const stack = new AsyncDisposableStack()
let folder: string
const completions = new Map<Shell, string>()

beforeAll(async () => {
  folder = stack.use(await temporaryFolder()).path
  mkdirSync(join(folder, 'bin'))
  symlinkSync(BIN, join(folder, 'bin', 'record-broker'))
  writeFileSync(join(folder, 'opened.txt'), '/usr/bin/app\n')
  for (const shell of Object.keys(SHELLS) as Shell[]) {
    const { out, status } = await command(['completion', shell])
    expect(status).toBe(0)
    const path = join(folder, `completion.${shell}`)
    writeFileSync(path, out)
    completions.set(shell, path)
  }
})
afterAll(() => stack.disposeAsync())

/** Starts a shell that has loaded the completion. */
async function startShell(shell: Shell): Promise<Terminal> {
  const { start, load } = SHELLS[shell]
  const environment = { HOME: folder, PATH: `${join(folder, 'bin')}:${process.env.PATH}`, LANG: 'C.UTF-8' }
  const terminal = await Terminal.start(start, environment, { columns: 110, rows: 50 })
  terminal.type(`cd ${folder}; ${load(completions.get(shell) ?? '')}; clear; echo ready\n`)
  await terminal.waitFor(/^ready\n/)
  return terminal
}

const cases: [typed: string, shown: RegExp][] = [
  ['record-broker conver', /conversion[\s\S]*convert|convert[\s\S]*conversion/],
  ['record-broker conversion ca', /record-broker conversion cancel/],
  ['record-broker convert a b --compression-', /record-broker convert a b --compression-level/],
  ['record-broker convert a b --compression tr', /record-broker convert a b --compression transcode/],
  ['record-broker convert a b --format ', /estargz[\s\S]*zstd-chunked/],
  ['record-broker record push op', /record-broker record push opened\.txt/],
  ['record-broker completion fi', /record-broker completion fish/],
  ['record-broker record merge a b --strategy freq', /record-broker record merge a b --strategy frequency/],
]

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  describeWithPeers(shell === 'bash' ? [] : [shell], `the completion for ${shell}`, () => {
    it.each(cases)('completes "%s"', async (typed, shown) => {
      await using terminal = await startShell(shell)
      terminal.type(`${typed}\t`)
      if (shell === 'bash') terminal.type('\t')
      await terminal.waitFor(shown)
      // A completion that fails writes over the command line.
      expect(terminal.output).not.toMatch(/unknown option|missing argument|not found|syntax error/i)
    })
  })
}

describe('completions', () => {
  it('name only shells that they exist for', async () => {
    expect(await command(['completion', 'tcsh'])).toMatchObject({ status: 2, out: '' })
  })
})
