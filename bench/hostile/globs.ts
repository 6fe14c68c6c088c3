import { readFile } from 'node:fs/promises'

/** Reads 1,000 realistic globs. 200 of them match in every directory. */
export function manyGlobs(): Promise<string> {
  return readFile(new URL('./globs-1000.txt', import.meta.url), 'utf8')
}

const createLines = (count: number, createLine: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => `${createLine(n)}\n`).join('')

/** Globs that are slow if they are matched one after the other. */
export const COSTLY_GLOBS = {
  ordinary: createLines(200, (n) => `/**/*${n}.py`),
  braces: createLines(5, (n) => `/**/**/*${n}{a,b}*{a,c}*{d,e}*{e,f}*{g,h}*{i,j}*`),
  segments: createLines(5, (n) => `/${'**/*{a,b}*/'.repeat(6)}**/*${n}*`),
}
