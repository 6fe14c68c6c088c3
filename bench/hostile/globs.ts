import { readFile } from 'node:fs/promises'

/** 1,000 globs as people write them; 200 of them look into every directory. */
export function manyGlobs(): Promise<string> {
  return readFile(new URL('./globs-1000.txt', import.meta.url), 'utf8')
}

const lines = (count: number, line: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => `${line(n)}\n`).join('')

/** Few globs that cost much where they are matched one by one. */
export const COSTLY_GLOBS = {
  ordinary: lines(200, (n) => `/**/*${n}.py`),
  braces: lines(5, (n) => `/**/**/*${n}{a,b}*{a,c}*{d,e}*{e,f}*{g,h}*{i,j}*`),
  segments: lines(5, (n) => `/${'**/*{a,b}*/'.repeat(6)}**/*${n}*`),
}
