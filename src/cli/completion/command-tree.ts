import type { Argument, Command, Option } from 'commander'

/** What a shell can offer for a value. */
export type ValueKind =
  | { readonly kind: 'choices'; readonly choices: readonly string[] }
  | { readonly kind: 'file' }
  | { readonly kind: 'other' }

export type TreeOption = {
  /** `-q`, `--quiet` */
  readonly flags: readonly string[]
  readonly description: string
  /** Undefined for options without a value. */
  readonly value: (ValueKind & { readonly name: string; readonly isRequired: boolean }) | undefined
  readonly canRepeat: boolean
}

export type TreeArgument = ValueKind & {
  readonly name: string
  readonly isRequired: boolean
  readonly isVariadic: boolean
}

/** A command, or a group of commands. */
export type TreeCommand = {
  /** The words after the program's name. */
  readonly path: readonly string[]
  readonly description: string
  readonly options: readonly TreeOption[]
  readonly arguments: readonly TreeArgument[]
  readonly commands: readonly TreeCommand[]
}

/** Returns the tree of a command and the commands below it. */
export function commandTree(command: Command, path: readonly string[] = []): TreeCommand {
  return {
    path,
    description: command.description(),
    options: command.createHelp().visibleOptions(command).map(treeOption),
    arguments: command.registeredArguments.map(treeArgument),
    commands: command.commands.map((sub) => commandTree(sub, [...path, sub.name()])),
  }
}

/** Returns a command and all commands below it, from top to bottom. */
export function flattenTree(command: TreeCommand): TreeCommand[] {
  return [command, ...command.commands.flatMap(flattenTree)]
}

function treeOption(option: Option): TreeOption {
  const { short, long, description, required, optional, argChoices } = option
  const name = /[<[]([^>\]]+)/.exec(option.flags)?.[1] ?? ''
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description,
    value: required || optional ? { ...valueKind(name, argChoices), name, isRequired: required } : undefined,
    canRepeat: description.includes('more than once'),
  }
}

function treeArgument(argument: Argument): TreeArgument {
  const name = argument.name()
  return {
    ...valueKind(name, argument.argChoices),
    name,
    isRequired: argument.required,
    isVariadic: argument.variadic,
  }
}

function valueKind(name: string, choices: readonly string[] | undefined): ValueKind {
  if (choices) return { kind: 'choices', choices }
  return name === 'file' ? { kind: 'file' } : { kind: 'other' }
}
