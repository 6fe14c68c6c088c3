import { expect, it } from 'vitest'
import { isTag, parseReference } from '../../oci/reference.ts'
import { defaultRecordTag, isRecordOf } from './record-tag.ts'

const digest = `sha256:${'a'.repeat(64)}`

it('names the tag and the workload, and is always a tag', () => {
  expect(defaultRecordTag(parseReference('r.test/a:1.0'), 'go-version')).toBe('record-1.0-go-version')
  expect(defaultRecordTag(parseReference(`r.test/a@${digest}`), 'x')).toBe('record-aaaaaaaaaaaa-x')
  expect(defaultRecordTag(parseReference('r.test/a'), 'x')).toBe('record-latest-x')
  const odd = ['a b', 'a/b', 'a  b', 'x'.repeat(200), 'ü'].map((workload) =>
    defaultRecordTag(parseReference('r.test/a:1'), workload),
  )
  for (const tag of odd) expect(isTag(tag)).toBe(true)
  expect(new Set(odd).size).toBe(odd.length)
})

it('finds records of an image and a workload, by what they say or by their tag', () => {
  const said = { tag: 'any', image: 'r.test/a:1', workload: 'go' }
  const silent = { tag: 'record-1-go' }
  for (const record of [said, silent]) {
    expect(isRecordOf(record, {})).toBe(true)
    expect(isRecordOf(record, { workload: 'go', image: parseReference('r.test/a:1') })).toBe(true)
    expect(isRecordOf(record, { workload: 'py' })).toBe(false)
    expect(isRecordOf(record, { image: parseReference('r.test/a:2') })).toBe(false)
  }
  expect(isRecordOf(said, { image: parseReference('r.test/b:1') })).toBe(false)
  expect(isRecordOf({ ...said, subject: digest }, { image: parseReference(`r.test/a@${digest}`) })).toBe(true)
  expect(isRecordOf(said, { image: parseReference(`r.test/a@${digest}`) })).toBe(false)
})
