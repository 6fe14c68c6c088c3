import type { Command } from 'commander'
import { notesOf } from '../../../src/cli/help/describe-command.ts'
import { createProgram } from '../../../src/cli/program.ts'
import type { Document, Excerpt } from './read-documents.ts'
import { readSession, splitShellCommands } from './shell-commands.ts'

/** A command line that a document shows, with the output that it shows. */
export type DocumentedCommand = Excerpt & { readonly output: string }

/** The languages of blocks with commands. A block without a language is one, too. */
export const SHELL_LANGUAGES: readonly string[] = ['', 'sh', 'bash', 'shell']
export const SESSION_LANGUAGE = 'console'

/** What code in the middle of a text starts with if it is a command. */
const PROGRAMS = /^(record-broker|bin\/record-broker\.js|npm start|npx|promtool|curl .*http:\S+) /

/** Returns all commands of a document: those of its blocks, then those in the middle of its text. */
export function commandsOf({ blocks, spans }: Document): DocumentedCommand[] {
  const inBlocks = blocks.flatMap(({ where, language, text }) => {
    if (language === SESSION_LANGUAGE) return readSession(text).map((command) => ({ where, ...command }))
    if (!SHELL_LANGUAGES.includes(language)) return []
    return splitShellCommands(text).map((command) => ({ where, text: command, output: '' }))
  })
  const inText = spans.filter(({ text }) => PROGRAMS.test(text)).map((span) => ({ ...span, output: '' }))
  return [...inBlocks, ...inText]
}

/** Returns the examples in the help of all commands. */
export function helpExamples(): DocumentedCommand[] {
  const unused = async () => {}
  const collect = (command: Command): DocumentedCommand[] => [
    ...(notesOf(command).examples ?? []).map(([line]) => ({
      where: `${pathOf(command)} --help`,
      text: `record-broker ${line}`,
      output: '',
    })),
    ...command.commands.flatMap(collect),
  ]
  return collect(createProgram({ serve: unused, work: unused }))
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}
