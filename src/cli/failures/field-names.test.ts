import { Command } from 'commander'
import { expect, it } from 'vitest'
import { addConvertOptions } from '../conversions/conversion-options.ts'
import { invalidFieldsText } from './field-names.ts'

const command = addConvertOptions(
  new Command('convert')
    .argument('<source>')
    .argument('<ids...>')
    .option('--after <id>')
    .option('--record-id <id>'),
)
const text = (path: string, file?: string) =>
  invalidFieldsText([{ path, message: 'is wrong' }], command, file)

it.each([
  ['querystring.format', '--format'],
  ['body.options.compressionLevel', '--compression-level'],
  ['options.chunkSize', '--chunk-size'],
  ['body.platforms.1', '--platform'],
  ['body.record.copyFrom', '--record-copy'],
  ['body.record.id', '--record-id'],
  ['body.record.match.workload', '--record-match'],
  ['body.source', '<source>'],
  ['body.records.0', '<ids...>'],
  ['headers.last-event-id', '--after'],
  ['body.unheardOf', 'unheardOf'],
])('the field %s is called %s', (path, name) => {
  expect(text(path)).toBe(`${name}: is wrong`)
})

it('a field of a file keeps its name', () => {
  expect(text('body.conversions.3.source', 'batch.json')).toBe('batch.json: conversions.3.source: is wrong')
  expect(text('body', 'batch.json')).toBe('batch.json: is wrong')
})
