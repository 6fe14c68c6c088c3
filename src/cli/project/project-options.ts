import { type Command, InvalidArgumentError } from 'commander'
import { Quotas } from '../../access/projects/project.ts'
import { count, repositoryPattern, size } from '../arguments.ts'

const QUOTAS = Object.keys(Quotas.shape) as (keyof Quotas)[]

/** A limit; undefined removes it. */
type QuotaChange = { readonly name: keyof Quotas; readonly limit: number | undefined }

/** The options that change the rules of a project. */
export type ProjectOptions = {
  readonly description?: string
  /** False: none. */
  readonly read?: string[] | false
  readonly write?: string[] | false
  readonly dockerConfig?: boolean
  readonly quota?: QuotaChange[]
}

/** The rules that the options change. */
type Rules = {
  readonly description?: string
  readonly read?: readonly string[]
  readonly write?: readonly string[]
  readonly usesDockerConfig?: boolean
  readonly quotas?: Quotas
}

/** Adds the options that change the rules of a project. */
export function addProjectOptions(command: Command): Command {
  const more = 'can be given more than once; replaces those before'
  return command
    .optionsGroup('Project:')
    .option('--description <text>', 'a text for people')
    .option(
      '--read <pattern>',
      `repositories that it may read, such as registry.example/team/**, or embedded/team/** for the registry of the broker; ${more}`,
      collectPattern,
    )
    .option('--no-read', 'no repositories to read')
    .option('--write <pattern>', `repositories that it may write and delete; ${more}`, collectPattern)
    .option('--no-write', 'no repositories to write')
    .option('--docker-config', "let its jobs use the credentials of the broker's docker config")
    .option('--no-docker-config', 'do not let them')
    .option(
      '--quota <name=limit>',
      `the most that it may use, such as records=1000 or storedBytes=10GiB; NAME=none removes the limit; can be given more than once: ${QUOTAS.join(', ')}`,
      (text: string, previous: QuotaChange[] = []) => [...previous, quota(text)],
    )
    .optionsGroup('Options:')
}

/** The value is false after `--no-read`. */
function collectPattern(text: string, previous: string[] | boolean | undefined): string[] {
  return [...(Array.isArray(previous) ? previous : []), repositoryPattern(text)]
}

function quota(text: string): QuotaChange {
  const [given = '', limit = ''] = text.split('=', 2)
  const name = QUOTAS.find((one) => one === given)
  if (name === undefined) throw new InvalidArgumentError(`expected one of ${QUOTAS.join(', ')}, and =limit`)
  return { name, limit: limit === 'none' ? undefined : quotaLimit(name, limit) }
}

/** A number of bytes, or a plain number of other things. */
function quotaLimit(name: keyof Quotas, text: string): number {
  try {
    return name === 'storedBytes' ? size(text) : count(text)
  } catch (error) {
    throw new InvalidArgumentError(`${name}: ${(error as Error).message}, or none`)
  }
}

/** Returns rules with the changes of the options. */
export function changeRules(rules: Rules, options: ProjectOptions): Rules {
  const { description, read, write, dockerConfig, quota: changes = [] } = options
  const quotas = { ...rules.quotas, ...Object.fromEntries(changes.map(({ name, limit }) => [name, limit])) }
  return {
    ...rules,
    ...(description !== undefined && { description }),
    ...(read !== undefined && { read: read || [] }),
    ...(write !== undefined && { write: write || [] }),
    ...(dockerConfig !== undefined && { usesDockerConfig: dockerConfig }),
    quotas,
  }
}
