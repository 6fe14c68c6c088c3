import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { AnalyzerProcess, notStarted } from '../analysis/analyzer-process.ts'
import { ANALYZER_THREADS } from './composition.ts'

const KIB = 1024
const MIB = 1024 * KIB
/**
 * What the operating system counts for a process before it does anything: V8 reserves address space for the heap of each
 * thread, of which little is ever used (measured with Node 26.10 on x64).
 */
const RESERVED_PER_HEAP = 640 * MIB

/**
 * Starts processes that read records, images and registries. Their memory is bounded by the operating system: V8's own
 * bounds count neither buffers nor what libraries take.
 * @param environment of the processes
 * @param memory in bytes
 * @param entry what they run
 * @returns what starts one, and throws an AnalysisError when that is not possible
 */
export function analyzerStarter(
  environment: Record<string, string | undefined>,
  memory: number,
  entry = fileURLToPath(new URL('./analyze.ts', import.meta.url)),
): () => AnalyzerProcess {
  const data = Math.ceil((memory + (1 + ANALYZER_THREADS) * RESERVED_PER_HEAP) / KIB)
  const heap = `--max-old-space-size=${Math.ceil(memory / MIB)}`
  return () => {
    // Node cannot set the limits of a child; every shell can set its own.
    const script = `ulimit -c 0; ulimit -d ${data}; exec "$0" "$@"`
    try {
      const child = spawn('/bin/sh', ['-c', script, process.execPath, heap, entry], {
        env: environment,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        serialization: 'advanced',
      })
      return new AnalyzerProcess(child, memory)
    } catch (error) {
      // Node tells of some failures by an event, and throws at others, such as a lack of memory.
      throw notStarted(error)
    }
  }
}
