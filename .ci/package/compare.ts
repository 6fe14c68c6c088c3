// Compares what `try-package.ts` printed on two versions of Node.
import { deepEqual } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { PackageTrial } from './try-package.ts'

const [oldest, pinned] = process.argv
  .slice(2)
  .map((file) => JSON.parse(readFileSync(file, 'utf8')) as PackageTrial)
if (!oldest || !pinned) throw new Error('usage: compare.ts FILE FILE')
for (const [name, digest] of Object.entries(pinned.digests)) {
  if (oldest.digests[name] === digest) continue
  // Only the compression of node:zlib may differ, and then the reports say which one made the bytes.
  deepEqual(
    { name, namesDifferentLibraries: oldest.libraries[name] !== pinned.libraries[name] },
    { name, namesDifferentLibraries: true },
  )
  console.log(
    `package: ${name} differs: ${oldest.libraries[name]} on ${oldest.node}, ${pinned.libraries[name]} on ${pinned.node}`,
  )
}
console.log(
  `package: ${Object.keys(pinned.digests).length} conversions compared on ${oldest.node} and ${pinned.node}`,
)
