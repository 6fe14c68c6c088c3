import type { Command } from 'commander'

/** Options and arguments whose names differ from the fields that they fill. */
const FIELD_OPTIONS: Readonly<Record<string, string>> = {
  platforms: 'platform',
  labels: 'label',
  records: 'ids',
  id: 'recordId',
  copyFrom: 'recordCopy',
  match: 'recordMatch',
  inline: 'record',
  createdFrom: 'since',
  createdBefore: 'until',
  attestations: 'keepAttestations',
  callbackUrl: 'callback',
  exceptTags: 'exceptTag',
  tags: 'tag',
  scopes: 'scope',
  quotas: 'quota',
  usesDockerConfig: 'dockerConfig',
  lifetimeSeconds: 'expires',
  overlapSeconds: 'overlap',
  'last-event-id': 'after',
}

/** An invalid field of a request. The path has dots, such as `body.options.chunkSize`. */
export type InvalidField = { readonly path: string; readonly message: string }

/**
 * Describes invalid fields of a request by the options and arguments of the command that sent it. A field that
 * the command has no option for came from a file: `file` names it, and the field keeps its name in the file.
 */
export function invalidFieldsText(fields: readonly InvalidField[], command: Command, file?: string): string {
  return fields.map(({ path, message }) => `${fieldText(path, command, file)}: ${message}`).join('; ')
}

function fieldText(path: string, command: Command, file: string | undefined): string {
  const parts = path.split('.').filter((part) => part !== '')
  const [first = ''] = parts
  const names = ['body', 'querystring', 'params', 'headers'].includes(first) ? parts.slice(1) : parts
  if (file === undefined) {
    for (const name of names.toReversed()) {
      const text = argumentFor(name, command)
      if (text !== undefined) return text
    }
  }
  return [...(file === undefined ? [] : [file]), ...(names.length === 0 ? [] : [names.join('.')])].join(': ')
}

function argumentFor(field: string, command: Command): string | undefined {
  const candidates = [field, FIELD_OPTIONS[field]]
  const option = command.options.find((one) => candidates.includes(one.attributeName()))
  if (option) return option.long ?? option.short
  const argument = command.registeredArguments.find((one) => candidates.includes(one.name()))
  return argument && `<${argument.name()}${argument.variadic ? '...' : ''}>`
}
