import {
  flattenTree,
  type TreeArgument,
  type TreeCommand,
  type TreeOption,
  type ValueKind,
} from './command-tree.ts'

/** Writes the completion for zsh 5. It works as a file in \`$fpath\`, and when it is sourced. */
export function zshCompletion(tree: TreeCommand): string {
  const functions = flattenTree(tree).map((command) =>
    command.commands.length > 0 ? groupFunction(command) : commandFunction(command),
  )
  return `#compdef record-broker
# zsh completion for record-broker
${functions.join('\n')}
if [ "$funcstack[1]" = _record-broker ]; then
  _record-broker "$@"
else
  compdef _record-broker record-broker
fi
`
}

function groupFunction({ path, options, commands }: TreeCommand): string {
  const entries = commands.map((sub) => `    ${quoted(`${sub.path.at(-1)}:${sub.description}`)}`)
  const cases = commands.map((sub) => `        ${sub.path.at(-1)}) ${functionName(sub.path)} ;;`)
  return `${functionName(path)}() {
  local curcontext="$curcontext" state line
  local -a commands=(
${entries.join('\n')}
  )
  _arguments -C \\
${options
  .flatMap(optionSpecs)
  .map((spec) => `    ${spec} \\`)
  .join('\n')}
    '1: :->command' '*:: :->rest'
  case $state in
    command) _describe -t commands command commands ;;
    rest)
      case $line[1] in
${cases.join('\n')}
      esac
      ;;
  esac
}`
}

function commandFunction({ path, options, arguments: args }: TreeCommand): string {
  const specs = [...options.flatMap(optionSpecs), ...args.map(argumentSpec)]
  return `${functionName(path)}() {
  _arguments -S ${specs.map((spec) => `\\\n    ${spec}`).join(' ')}
}`
}

function optionSpecs({ flags, description, value, canRepeat }: TreeOption): string[] {
  const repeat = canRepeat ? '*' : flags.length > 1 ? `(${flags.join(' ')})` : ''
  return flags.map((flag) => {
    const equals = value && flag.startsWith('--') ? '=' : ''
    const values = value ? `:${value.isRequired ? '' : ':'}${escaped(value.name)}:${action(value)}` : ''
    return quoted(`${repeat}${flag}${equals}[${escaped(description)}]${values}`)
  })
}

function argumentSpec(argument: TreeArgument): string {
  const { name, isRequired, isVariadic } = argument
  return quoted(
    `${isVariadic ? '*' : ''}:${isRequired || isVariadic ? '' : ':'}${escaped(name)}:${action(argument)}`,
  )
}

function action(value: ValueKind): string {
  if (value.kind === 'choices') return `(${value.choices.join(' ')})`
  return value.kind === 'file' ? '_files' : ' '
}

function functionName(path: readonly string[]): string {
  return ['_record-broker', ...path].join('_')
}

function escaped(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, (character) => `\\${character}`)
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
