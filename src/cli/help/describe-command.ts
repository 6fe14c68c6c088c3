import type { Command } from 'commander'
import type { SettingGroup } from './setting-groups.ts'
import { DEFAULT_COLUMNS, settingsText } from './settings-text.ts'

/** What the help of a command shows besides its arguments and options. */
export type CommandNotes = {
  /** Command lines without `record-broker`, each with what it does. */
  readonly examples?: readonly (readonly [commandLine: string, purpose: string])[]
  /** The groups of settings that apply. */
  readonly settings?: readonly SettingGroup[]
}

const NOTES = new WeakMap<Command, CommandNotes>()

/** Adds examples and settings to a command. They appear in its help and in the documentation. */
export function describeCommand(command: Command, notes: CommandNotes): Command {
  NOTES.set(command, notes)
  return command.addHelpText('after', () => notesText(command))
}

/** Returns what {@link describeCommand} added. */
export function notesOf(command: Command): CommandNotes {
  return NOTES.get(command) ?? {}
}

function notesText(command: Command): string {
  const { examples = [], settings = [] } = notesOf(command)
  const lines: string[] = []
  if (examples.length > 0) lines.push('', 'Examples:')
  for (const [commandLine, purpose] of examples) {
    lines.push(`  # ${purpose}`, `  record-broker ${commandLine}`)
  }
  if (settings.length > 0) {
    const columns = process.stdout.columns ?? DEFAULT_COLUMNS
    lines.push('', 'Settings that apply, from the environment or the file in RECORD_BROKER_CONFIG:')
    lines.push('', settingsText(settings, columns))
  }
  return lines.join('\n')
}
