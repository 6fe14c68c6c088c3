import { runProgram } from '../../test/support/run-program.ts'
import type { SourceLayer } from './source-layers.ts'

/** One file out of so many is recorded. */
const RECORDED_EACH = 100

/** A record file that names one file in a hundred of the layers, beginning with the file of this number. */
export async function createRecord(layers: readonly SourceLayer[], first: number): Promise<string> {
  const lists = await Promise.all(layers.map(({ archivePath: plain }) => runProgram('tar', '-tf', plain)))
  const files = lists.flatMap((list) => list.split('\n').filter((name) => name !== '' && !name.endsWith('/')))
  const recorded = files.filter((_, i) => i % RECORDED_EACH === first)
  return recorded.map((path) => `${JSON.stringify({ path })}\n`).join('')
}
