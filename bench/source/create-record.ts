import { runProgram } from '../../test/support/run-program.ts'
import type { SourceLayer } from './source-layers.ts'

/** Every file with this distance is recorded. */
const RECORDED_EVERY = 100

/** Creates a record file with one in a hundred files of the layers, starting with the file at an index. */
export async function createRecord(layers: readonly SourceLayer[], firstIndex: number): Promise<string> {
  const lists = await Promise.all(layers.map(({ archivePath }) => runProgram('tar', '-tf', archivePath)))
  const files = lists.flatMap((list) => list.split('\n').filter((name) => name !== '' && !name.endsWith('/')))
  const recorded = files.filter((_, i) => i % RECORDED_EVERY === firstIndex)
  return recorded.map((path) => `${JSON.stringify({ path })}\n`).join('')
}
