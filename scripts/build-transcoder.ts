// Compiles the deflate transcoder from AssemblyScript, and writes it to a module, so that running it needs no
// compiler.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { compileTranscoder } from './compile-transcoder.ts'

const MODULE = fileURLToPath(new URL('../src/compression/deflate/binary.ts', import.meta.url))
await writeFile(MODULE, await compileTranscoder())
