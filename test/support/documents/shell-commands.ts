/** A command of a block, with the output that the block shows below it. */
export type ShellCommand = { readonly text: string; readonly output: string }

/**
 * Splits a block of shell code into its commands, without comments. A command goes on over line breaks that are
 * quoted or escaped.
 */
export function splitShellCommands(text: string): string[] {
  const commands: string[] = []
  let command = ''
  let quote = ''
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? ''
    if (quote === '' && char === '#' && /^$|\s$/.test(command)) {
      const end = text.indexOf('\n', i)
      i = (end < 0 ? text.length : end) - 1
    } else if (quote === '' && char === '\n') {
      commands.push(command.trim())
      command = ''
    } else {
      if (char === '\\' && quote !== "'") command += text[i++]
      else if (char === quote) quote = ''
      else if (quote === '' && /["']/.test(char)) quote = char
      command += text[i] ?? ''
    }
  }
  return [...commands, command.trim()].filter((one) => one !== '')
}

/** Reads a block of a terminal session: commands after `$ `, each with the lines that it printed. */
export function readSession(text: string): ShellCommand[] {
  const parts = text.split(/^\$ /m)
  if (parts.shift()?.trim() !== '') throw new Error(`a block of a session begins without "$ ":\n${text}`)
  return parts.map((part) => {
    const end = endOfCommand(part)
    return { text: part.slice(0, end).trim(), output: part.slice(end).trim() }
  })
}

/** Where the first command of a text ends: at the first line break that is neither quoted nor escaped. */
function endOfCommand(text: string): number {
  const lines = text.split('\n')
  for (let count = 1; count <= lines.length; count++) {
    const start = lines.slice(0, count).join('\n')
    const isOpen = /\\$/.test(start) || splitShellCommands(`${start}\n:`).at(-1) !== ':'
    if (!isOpen) return start.length
  }
  return text.length
}
