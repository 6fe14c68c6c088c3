// Loaded before a Node program (--import): writes the files that the program opens, in order of first access, to the
// file that RECORD_OPENS names. It sees what a tracer of system calls would see of a Node program: the runtime and
// its shared objects, modules with their package.json, native addons, and files opened through node:fs.
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

/** Node reads the package.json above a module to know what kind of module it is. */
function noteModule(path) {
  for (let folder = dirname(path); dirname(folder) !== folder; folder = dirname(folder)) {
    const description = join(folder, 'package.json')
    if (seen.has(description)) break
    if (!existsSync(description)) continue
    note(description)
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
process.dlopen = (module, path, ...rest) => {
  note(path)
  return dlopen(module, path, ...rest)
}
for (const name of ['open', 'openSync', 'readFile', 'readFileSync', 'createReadStream']) {
  const original = fs[name]
  fs[name] = (path, ...rest) => {
    if (typeof path === 'string' && existsSync(path)) note(path)
    return original(path, ...rest)
  }
}
syncBuiltinESMExports()
