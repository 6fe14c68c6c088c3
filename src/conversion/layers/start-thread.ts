import { Worker } from 'node:worker_threads'
import { ConversionError } from '../errors.ts'
import { allocatePieces } from './shared-pieces.ts'
import type { SharedMemory } from './thread-messages.ts'

export const THREAD_MEMORY_SETTING = 'RECORD_BROKER_THREAD_MEMORY'

/** A thread, and the memory that it shares with the pool. `memoryBytes`: the bound on its heap. */
export type LayerThread = {
  readonly worker: Worker
  readonly shared: SharedMemory
  readonly memoryBytes: number
  isAlive: boolean
}

/** Most objects of a thread are short-lived, so a larger young generation would only hold memory. */
const YOUNG_GENERATION_MB = 8
const MIB = 2 ** 20

/**
 * @param memoryBytes the bound on the heap of the thread
 * @throws ConversionError LAYER_THREAD_DIED if the system cannot start another thread
 */
export function startThread(memoryBytes: number): LayerThread {
  const shared = { input: allocatePieces(), output: allocatePieces() }
  const thread: LayerThread = {
    worker: startWorker(shared, memoryBytes),
    shared,
    memoryBytes,
    isAlive: true,
  }
  // An idle thread can die, too. Without a listener its error would end the process.
  const onDeath = () => {
    thread.isAlive = false
  }
  thread.worker.on('error', onDeath).on('exit', onDeath)
  return thread
}

function startWorker(shared: SharedMemory, memoryBytes: number): Worker {
  try {
    return new Worker(new URL('./layer-thread.ts', import.meta.url), {
      workerData: shared,
      resourceLimits: {
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
        maxOldGenerationSizeMb: Math.ceil(memoryBytes / MIB),
      },
    })
  } catch (cause) {
    throw new ConversionError('LAYER_THREAD_DIED', 'the system could not start a thread for a layer', {
      cause,
    })
  }
}
