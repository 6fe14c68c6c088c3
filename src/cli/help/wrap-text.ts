/** Wraps a text at spaces to lines that are shorter than `columns`, each with an indentation. */
export function wrapText(text: string, columns: number, indent = 0): string {
  const width = Math.max(20, columns - indent)
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? ''
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`
  }
  return lines.map((line) => `${' '.repeat(indent)}${line}`).join('\n')
}
