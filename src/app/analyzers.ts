import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { AnalyzerProcess, processStartError } from '../analysis/analyzer-process.ts'
import { ANALYZER_THREADS } from './composition.ts'

const KIB = 1024
const MIB = 1024 * KIB
/**
 * Bytes that the operating system counts per heap in advance: V8 reserves address space for the heap of each
 * thread, most of which stays unused (measured with Node 26.10 on x64).
 */
const RESERVED_PER_HEAP = 640 * MIB

/**
 * Creates a starter of analyzer processes. The operating system bounds their memory, because V8's own limits
 * count neither buffers nor the memory of native libraries.
 * @param environment the environment of the processes
 * @param memory the limit in bytes, beyond the reserved heaps
 * @param options.onStart called with each process that was started
 * @param options.entry the module that they run
 * @returns a function that starts one process, and throws an AnalysisError when the system cannot start it
 */
export function analyzerStarter(
  environment: Record<string, string | undefined>,
  memory: number,
  {
    onStart,
    entry = fileURLToPath(new URL('./analyze.ts', import.meta.url)),
  }: { readonly onStart?: (child: ChildProcess) => void; readonly entry?: string } = {},
): () => AnalyzerProcess {
  const data = Math.ceil((memory + (1 + ANALYZER_THREADS) * RESERVED_PER_HEAP) / KIB)
  const heap = `--max-old-space-size=${Math.ceil(memory / MIB)}`
  return () => {
    // Node cannot set the resource limits of a child, but a shell can set its own and exec.
    const script = `ulimit -c 0; ulimit -d ${data}; exec "$0" "$@"`
    try {
      const child = spawn('/bin/sh', ['-c', script, process.execPath, heap, entry], {
        env: environment,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        serialization: 'advanced',
      })
      onStart?.(child)
      return new AnalyzerProcess(child, memory)
    } catch (error) {
      // Node reports some spawn failures by an event and throws others, such as a lack of memory.
      throw processStartError(error)
    }
  }
}
