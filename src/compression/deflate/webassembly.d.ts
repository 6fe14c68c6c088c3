/** The used part of the standard global, which neither TypeScript's nor Node's types declare. */
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
