import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../test/support/run-program.ts'

const COMPILER = fileURLToPath(new URL('../node_modules/assemblyscript/bin/asc.js', import.meta.url))
const SOURCE = fileURLToPath(new URL('../src/compression/deflate/wasm/index.ts', import.meta.url))
const OPTIONS = ['-O3', '--runtime', 'stub', '--noAssert', '--enable', 'simd']

/** Compiles the transcoder. Returns the text of the module that contains it. */
export async function compileTranscoder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'record-broker-transcoder-'))
  try {
    const file = join(folder, 'transcoder.wasm')
    await runProgram(process.execPath, COMPILER, SOURCE, '--outFile', file, ...OPTIONS)
    const lines = (await readFile(file)).toString('base64').match(/.{1,100}/g) ?? []
    return [
      '// Made by `npm run transcoder` from the folder wasm; do not edit.',
      '',
      '/** The compiled transcoder, in base64. */',
      'export const TRANSCODER_BINARY = `',
      ...lines,
      '`',
      '',
    ].join('\n')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
