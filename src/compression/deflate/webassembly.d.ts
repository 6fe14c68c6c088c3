/** What is used of the standard's global, which neither the language's nor Node's types declare. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Instance {
    readonly exports: unknown
    constructor(module: Module, imports: Record<string, Record<string, () => void>>)
  }
  type Memory = { readonly buffer: ArrayBuffer }
}
