import type { AddedDirectory } from '../../estargz/index/added-directories.ts'
import type { LayerResult, LayerTask, ScannedLayer } from './layer-task.ts'
import type { SerializedError } from './serialized-error.ts'
import type { Piece } from './shared-pieces.ts'

/** The memory that a thread shares with the pool, see shared-pieces.ts. */
export type SharedMemory = { readonly input: SharedArrayBuffer; readonly output: SharedArrayBuffer }

/** A message from the pool to a layer thread. */
export type PoolMessage =
  | { readonly kind: 'task'; readonly task: LayerTask }
  | ({ readonly kind: 'input' } & Piece)
  | { readonly kind: 'input-end' }
  /** The pool has consumed a piece of output, and the thread may fill it again. */
  | { readonly kind: 'output-released'; readonly index: number }
  /** The directories to add to a layer that the thread has scanned. */
  | { readonly kind: 'added-directories'; readonly directories: readonly AddedDirectory[] }

/** A message from a layer thread to the pool. */
export type ThreadMessage =
  /** The thread has consumed a piece of input, and the pool may fill it again. */
  | { readonly kind: 'input-released'; readonly index: number }
  | ({ readonly kind: 'output' } & Piece)
  /** The thread has read the archive to its end. `isWaiting`: it waits for `added-directories`. */
  | { readonly kind: 'scanned'; readonly layer: ScannedLayer; readonly isWaiting: boolean }
  | { readonly kind: 'done'; readonly result: LayerResult }
  | { readonly kind: 'failed'; readonly error: SerializedError }
