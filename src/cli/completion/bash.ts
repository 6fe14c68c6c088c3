import { flattenTree, type TreeCommand, type ValueKind } from './command-tree.ts'

/** Writes the completion for bash 4.4 and newer. It needs no other package. */
export function bashCompletion(tree: TreeCommand): string {
  const commands = flattenTree(tree)
  const paths = commands.filter(({ path }) => path.length > 0).map(({ path }) => quoted(pathText(path)))
  return `# bash completion for record-broker
_record_broker() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} path= words= files= i
  # bash splits words at "=".
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
      ${paths.join(' | ')})
        path="$path \${COMP_WORDS[i]}"
        ;;
    esac
  done
  case "$path $prev" in
${commands.flatMap(optionCases).join('\n')}
  esac
  if [[ -z $words && -z $files ]]; then
    case "$path" in
${commands.map(commandCase).join('\n')}
    esac
    [[ $cur == -* ]] && files=
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    local IFS=$'\\n'
    COMPREPLY+=($(compgen -f -- "$cur"))
  fi
}
complete -F _record_broker record-broker
`
}

/** What follows an option with a value. */
function optionCases({ path, options }: TreeCommand): string[] {
  return options.flatMap(({ flags, value }) => {
    // A value that is optional may be followed by anything else.
    if (!value?.isRequired) return []
    const patterns = flags.map((flag) => quoted(`${pathText(path)} ${flag}`)).join(' | ')
    if (value.kind === 'other') return [`    ${patterns}) return ;;`]
    return [`    ${patterns}) ${assignment(value)} ;;`]
  })
}

function commandCase({ path, options, arguments: args, commands }: TreeCommand): string {
  const flags = options.flatMap((option) => option.flags)
  const names = commands.map((sub) => sub.path.at(-1) ?? '')
  const choices = args.flatMap((argument) => (argument.kind === 'choices' ? argument.choices : []))
  const files = args.some(({ kind }) => kind === 'file') ? ' files=1' : ''
  const plain = quoted([...names, ...choices].join(' '))
  return `      ${quoted(pathText(path))}) if [[ $cur == -* ]]; then words=${quoted(flags.join(' '))}; else words=${plain}${files}; fi ;;`
}

function assignment(value: ValueKind): string {
  return value.kind === 'choices' ? `words=${quoted(value.choices.join(' '))}` : 'files=1'
}

function pathText(path: readonly string[]): string {
  return path.map((name) => ` ${name}`).join('')
}

function quoted(text: string): string {
  return `"${text}"`
}
