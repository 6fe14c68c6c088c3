import type { Setting } from '../../app/config/config.ts'
import { bytesText } from '../text/quantities.ts'
import { SETTING_GROUPS, type SettingGroup, settingsFor, settingsIn } from './setting-groups.ts'
import { wrapText } from './wrap-text.ts'

/** The width of help that does not go to a terminal. */
export const DEFAULT_COLUMNS = 100
const INDENT = 6

/** Lists all settings by their groups, each with its default. */
export function allSettingsText(columns: number): string {
  return [
    wrapText(
      'Settings come from the environment, or from the file of NAME=value lines that RECORD_BROKER_CONFIG names. The environment has precedence.',
      columns,
    ),
    '',
    settingsText(SETTING_GROUPS, columns, settingsIn),
  ].join('\n')
}

/** Lists the settings of some groups. */
export function settingsText(
  groups: readonly SettingGroup[],
  columns: number,
  listed: (group: SettingGroup) => readonly Setting[] = settingsFor,
): string {
  return groups
    .map((group) => {
      const settings = listed(group).flatMap(({ name, description, default: value }) => [
        `  ${name}`,
        wrapText(`${description}${defaultText(name, value)}`, columns, INDENT),
      ])
      return [`${group[0]?.toUpperCase()}${group.slice(1)}:`, ...settings].join('\n')
    })
    .join('\n\n')
}

function defaultText(name: string, value: string | undefined): string {
  if (value === undefined) return ''
  const isBytes = /BYTES|MEMORY|SCRATCH_LIMIT|RESERVE|WINDOW/.test(name) && Number(value) >= 1024
  return `; default: ${value}${isBytes ? ` (${bytesText(Number(value))})` : ''}`
}
