/**
 * Calls `action` when `signal` aborts, at once if it has aborted. Returns a function that removes the
 * listener.
 */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  if (signal.aborted) action()
  else signal.addEventListener('abort', action, { once: true })
  return () => signal.removeEventListener('abort', action)
}
