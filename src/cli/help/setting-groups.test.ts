import { describe, expect, it } from 'vitest'
import { SETTINGS } from '../../app/config/config.ts'
import { SETTING_GROUPS, settingsIn } from './setting-groups.ts'
import { allSettingsText } from './settings-text.ts'

describe('the help on settings', () => {
  it('lists each setting once, with its default', () => {
    const listed = SETTING_GROUPS.flatMap((group) => settingsIn(group).map(({ name }) => name))
    expect(listed.toSorted()).toEqual(SETTINGS.map(({ name }) => name).toSorted())
    const text = allSettingsText(100)
    expect(text).toMatch(/RECORD_BROKER_LISTEN\n {6}.*default: 127\.0\.0\.1:8080/)
    expect(text.replaceAll(/\s+/g, ' ')).toContain('default: 68719476736 (64.0 GiB)')
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  })

  it('has no empty group', () => {
    expect(SETTING_GROUPS.filter((group) => settingsIn(group).length === 0)).toEqual([])
  })
})
