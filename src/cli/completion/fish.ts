import { flattenTree, type TreeCommand, type TreeOption, type ValueKind } from './command-tree.ts'

/** Writes the completion for fish 3. */
export function fishCompletion(tree: TreeCommand): string {
  const commands = flattenTree(tree)
  const paths = commands.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')))
  return `# fish completion for record-broker
function __record_broker_path
    set -l path
    for word in (commandline -opc)[2..]
        set -l next (string join -- ' ' $path $word)
        if contains -- $next ${paths.join(' ')}
            set path $path $word
        end
    end
    string join -- ' ' $path
end
function __record_broker_at
    set -l path (__record_broker_path)
    test "$path" = "$argv[1]"
end
complete -c record-broker -f
${commands.flatMap(commandLines).join('\n')}
`
}

function commandLines(command: TreeCommand): string[] {
  const { path, options, arguments: args, commands } = command
  const start = `complete -c record-broker -n ${quoted(`__record_broker_at ${doubleQuoted(path.join(' '))}`)}`
  return [
    ...commands.map((sub) => `${start} -a ${sub.path.at(-1)} -d ${quoted(sub.description)}`),
    ...options.map((option) => `${start} ${optionWords(option)}`),
    ...args.flatMap((argument) => {
      if (argument.kind === 'file') return [`${start} -F`]
      return argument.kind === 'choices' ? [`${start} -a ${quoted(argument.choices.join(' '))}`] : []
    }),
  ]
}

function optionWords({ flags, description, value }: TreeOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
  return [...names, ...(value?.isRequired ? [valueWords(value)] : []), '-d', quoted(description)].join(' ')
}

function valueWords(value: ValueKind): string {
  if (value.kind === 'choices') return `-x -a ${quoted(value.choices.join(' '))}`
  return value.kind === 'file' ? '-r -F' : '-x'
}

function doubleQuoted(text: string): string {
  return `"${text}"`
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, (character) => `\\${character}`)}'`
}
