// Preloaded into a Node program (`node --import`): writes the paths that the program opens to the file in
// RECORD_OPENS, in the order of their first access. It finds what a tracer of system calls would find: the
// runtime and its shared objects, modules with their package.json, native addons, and files opened through
// node:fs.
import fs from 'node:fs'
import { registerHooks, syncBuiltinESMExports } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const seen = new Set()
const { appendFileSync, existsSync, openSync } = fs
const output = openSync(process.env.RECORD_OPENS, 'a')

function note(path) {
  const absolute = resolve(path)
  if (seen.has(absolute)) return
  seen.add(absolute)
  appendFileSync(output, `${JSON.stringify(absolute)}\n`)
}

/** Notes a module and the nearest package.json, which Node reads for the type of the module. */
function noteModule(path) {
  for (let folder = dirname(path); dirname(folder) !== folder; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (seen.has(manifest)) break
    if (!existsSync(manifest)) continue
    note(manifest)
    break
  }
  note(path)
}

note(process.execPath)
for (const object of process.report.getReport().sharedObjects) if (object.startsWith('/')) note(object)

registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:') && url !== import.meta.url) noteModule(fileURLToPath(url))
    return next(url, context)
  },
})
const { dlopen } = process
process.dlopen = (module, path, ...options) => {
  note(path)
  return dlopen(module, path, ...options)
}
for (const name of ['open', 'openSync', 'readFile', 'readFileSync', 'createReadStream']) {
  const original = fs[name]
  fs[name] = (path, ...options) => {
    if (typeof path === 'string' && existsSync(path)) note(path)
    return original(path, ...options)
  }
}
syncBuiltinESMExports()
