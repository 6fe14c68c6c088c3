import { text as readText } from 'node:stream/consumers'
import { read as readHidden } from 'read'
import { CommandError, InterruptedError } from '../failures/errors.ts'

/**
 * Reads a secret: all of standard input if `option` was given, otherwise what is typed on the terminal, unseen. Secrets
 * are never arguments, which other users of the machine can list.
 * @param name what the user is asked for, such as `token`
 */
export function readSecret(
  name: string,
  {
    fromStdin,
    option,
    prompt,
  }: { readonly fromStdin: boolean; readonly option: string; readonly prompt: string },
): Promise<string> {
  if (fromStdin) return readText(process.stdin)
  if (process.stdin.isTTY) return ask(prompt)
  throw new CommandError('usage', `there is no terminal to ask for the ${name}: use ${option}`)
}

async function ask(prompt: string): Promise<string> {
  try {
    return await readHidden({ prompt, silent: true, output: process.stderr })
  } catch {
    throw new InterruptedError('SIGINT')
  } finally {
    // The line break that was typed is hidden, too.
    process.stderr.write('\n')
  }
}
