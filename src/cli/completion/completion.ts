import { Argument, type Command } from 'commander'
import { describeCommand } from '../help/describe-command.ts'
import { bashCompletion } from './bash.ts'
import { commandTree } from './command-tree.ts'
import { fishCompletion } from './fish.ts'
import { zshCompletion } from './zsh.ts'

const WRITERS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const
type Shell = keyof typeof WRITERS

/** Adds `completion`. */
export function addCompletionCommand(program: Command): void {
  describeCommand(
    program
      .command('completion')
      .description('print the completion of commands, options and values for a shell')
      .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(WRITERS)))
      .action((shell: Shell) => {
        process.stdout.write(WRITERS[shell](commandTree(program)))
      }),
    {
      examples: [
        ['completion bash > ~/.local/share/bash-completion/completions/record-broker', 'for bash'],
        ['completion zsh > ~/.zfunc/_record-broker', 'for zsh, with ~/.zfunc in $fpath'],
        ['completion fish > ~/.config/fish/completions/record-broker.fish', 'for fish'],
      ],
    },
  )
}
