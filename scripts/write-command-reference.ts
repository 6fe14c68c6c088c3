/**
 * Writes the command reference in docs/cli.md from the tree of commands. A test compares the two. Run it with
 * `npm run command-reference`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { EXIT_STATUSES } from '../src/cli/failures/exit-status.ts'
import { notesOf } from '../src/cli/help/describe-command.ts'
import { createProgram } from '../src/cli/program.ts'

const PATH = fileURLToPath(new URL('../docs/cli.md', import.meta.url))

/** Replaces the generated parts of a page: what stands between `<!-- NAME -->` and `<!-- end of NAME -->`. */
export function withCommandReference(page: string): string {
  const role = async () => undefined
  const program = createProgram({ serve: role, work: role })
  const parts = {
    'exit statuses': exitStatusTable(),
    commands: program.commands.flatMap((one) => sections(one)),
  }
  return Object.entries(parts).reduce(
    (text, [name, lines]) => replacePart(text, name, lines.join('\n')),
    page,
  )
}

function replacePart(page: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
  const from = page.indexOf(start)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`docs/cli.md: expected ${start} and ${end}`)
  return `${page.slice(0, from + start.length)}\n${content}\n${page.slice(to)}`
}

function exitStatusTable(): string[] {
  return [
    '',
    '| Status | Meaning |',
    '|---|---|',
    ...EXIT_STATUSES.map(([status, meaning]) => `| ${status} | ${meaning} |`),
    '',
  ]
}

/** The section of a command, or those of the commands of a group. */
function sections(command: Command, path: readonly string[] = []): string[] {
  const names = [...path, command.name()]
  if (command.commands.length > 0) return command.commands.flatMap((one) => sections(one, names))
  const args = command.registeredArguments.map((argument) => {
    const name = `${argument.name().toUpperCase()}${argument.variadic ? '...' : ''}`
    return argument.required ? name : `[${name}]`
  })
  const help = command.createHelp()
  const rows = [
    ...help
      .visibleArguments(command)
      .map((one) => [one.name().toUpperCase(), help.argumentDescription(one)] as const),
    ...help
      .visibleOptions(command)
      .filter(({ long }) => long !== '--help')
      .map((one) => [one.flags, help.optionDescription(one)] as const),
  ]
  const { examples = [] } = notesOf(command)
  return [
    '',
    `### ${[...names, ...args].join(' ')}`,
    '',
    `${capitalized(command.description())}.`,
    ...(rows.length === 0 ? [] : ['', '| Argument or option | Meaning |', '|---|---|']),
    ...rows.map(([term, meaning]) => `| \`${term.replaceAll('|', '\\|')}\` | ${cell(meaning)} |`),
    ...(examples.length === 0 ? [] : ['', '```sh']),
    ...examples.flatMap(([line, purpose]) => [`# ${purpose}`, `record-broker ${line}`]),
    ...(examples.length === 0 ? [] : ['```']),
  ]
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function capitalized(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(PATH, withCommandReference(readFileSync(PATH, 'utf8')))
}
