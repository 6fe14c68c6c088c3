import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

const OPTIONS: ts.CompilerOptions = {
  module: ts.ModuleKind.ESNext,
  // Node 22 runs all of ES2023, but no `using`.
  target: ts.ScriptTarget.ES2023,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
}

/** The address of a module that a thread or a process loads. The compiler does not rewrite it. */
const MODULE_URL = /(new URL\('[^']+\.)ts(', import\.meta\.url\))/g

/** What never runs in the package. `wasm` is AssemblyScript, whose output is a module of its own. */
const OMITTED = ['**/*.test.ts', 'compression/deflate/wasm/**']

/**
 * Compiles the sources to JavaScript, one file each.
 * @throws Error with the compiler's messages
 */
export function compileSources(source: string, target: string): void {
  for (const file of globSync('**/*.ts', { cwd: source, exclude: OMITTED })) {
    if (file.endsWith('.d.ts')) continue
    const { outputText, diagnostics } = ts.transpileModule(readFileSync(join(source, file), 'utf8'), {
      compilerOptions: OPTIONS,
      fileName: file,
      reportDiagnostics: true,
    })
    assertNone(diagnostics ?? [])
    const output = join(target, file.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(output), { recursive: true })
    writeFileSync(output, outputText.replace(MODULE_URL, '$1js$2'))
  }
}

/**
 * Writes the types of a module and of those that it imports, for projects that use TypeScript.
 * @throws Error with the compiler's messages
 */
export function writeTypes(source: string, module: string, target: string): void {
  const program = ts.createProgram([join(source, module)], {
    ...OPTIONS,
    module: ts.ModuleKind.NodeNext,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    lib: ['lib.esnext.d.ts', 'lib.dom.d.ts', 'lib.dom.asynciterable.d.ts'],
    types: [],
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: source,
    outDir: target,
  })
  assertNone(ts.getPreEmitDiagnostics(program))
  assertNone(program.emit().diagnostics)
}

function assertNone(diagnostics: readonly ts.Diagnostic[]): void {
  if (diagnostics.length === 0) return
  throw new Error(
    ts.formatDiagnostics(diagnostics, {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => process.cwd(),
      getNewLine: () => '\n',
    }),
  )
}
