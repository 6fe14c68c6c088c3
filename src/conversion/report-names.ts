/** Names of counts in reports that earlier releases stored, and the names that they have now. */
const COUNTS: Readonly<Record<string, string>> = {
  changed: 'changedCount',
  chunks: 'chunkCount',
  compared: 'comparedCount',
  entries: 'entryCount',
  files: 'fileCount',
  followed: 'followedCount',
  layers: 'layerCount',
  layersDone: 'doneLayerCount',
  paths: 'pathCount',
  placed: 'placedCount',
  prioritizedFiles: 'prioritizedFileCount',
  programsUnread: 'unreadProgramCount',
  requests: 'requestCount',
}

/**
 * Returns a stored report or progress in the names of this release. The database keeps those that earlier
 * releases wrote as they are.
 */
export function withCurrentNames(stored: unknown): unknown {
  if (Array.isArray(stored)) return stored.map(withCurrentNames)
  if (typeof stored !== 'object' || stored === null) return stored
  return Object.fromEntries(Object.entries(stored).map(([name, value]) => currentField(name, value)))
}

function currentField(name: string, value: unknown): [string, unknown] {
  if (typeof value === 'number') return [COUNTS[name] ?? name, value]
  if (name === 'action' && value === 'same-as-other') return [name, 'duplicate']
  if (name === 'created' && typeof value === 'string') return ['createdAt', value]
  return [name, withCurrentNames(value)]
}
