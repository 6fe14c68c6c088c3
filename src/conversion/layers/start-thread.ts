import { Worker } from 'node:worker_threads'
import { ConversionError } from '../errors.ts'
import type { SharedMemory } from './layer-task.ts'
import { sharedPieces } from './shared-pieces.ts'

export const THREAD_MEMORY_SETTING = 'RECORD_BROKER_THREAD_MEMORY'

/** A thread, and the memory that it shares with the pool. */
export type LayerThread = { readonly worker: Worker; readonly shared: SharedMemory; isAlive: boolean }

/** Most of what a thread makes is gone at once: larger young generations would only hold memory. */
const YOUNG_GENERATION_MB = 8
const MIB = 2 ** 20

/** @throws ConversionError LAYER_THREAD_DIED where the system has no room for another thread */
export function startThread(memory: number): LayerThread {
  const shared = { input: sharedPieces(), output: sharedPieces() }
  const thread: LayerThread = { worker: newWorker(shared, memory), shared, isAlive: true }
  // A thread may also die while it has nothing to do: without a listener its error would end the process.
  const over = () => {
    thread.isAlive = false
  }
  thread.worker.on('error', over).on('exit', over)
  return thread
}

function newWorker(shared: SharedMemory, memory: number): Worker {
  try {
    return new Worker(new URL('./layer-thread.ts', import.meta.url), {
      workerData: shared,
      resourceLimits: {
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
        maxOldGenerationSizeMb: Math.ceil(memory / MIB),
      },
    })
  } catch (cause) {
    throw new ConversionError('LAYER_THREAD_DIED', 'no thread could be started for a layer', { cause })
  }
}
