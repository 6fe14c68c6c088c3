import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

/** Keeps the state of an issuer in memory for as long as a test runs. */
export function loginStore(): AdapterFactory {
  const payloads = new Map<string, AdapterPayload>()
  return (name): Adapter => {
    const keyOf = (id: string) => `${name}:${id}`
    const findBy = async (field: 'uid' | 'userCode', value: string) =>
      [...payloads].find(([key, payload]) => key.startsWith(`${name}:`) && payload[field] === value)?.[1]
    return {
      upsert: async (id, payload) => void payloads.set(keyOf(id), payload),
      find: async (id) => payloads.get(keyOf(id)),
      findByUid: (uid) => findBy('uid', uid),
      findByUserCode: (code) => findBy('userCode', code),
      consume: async (id) => {
        const payload = payloads.get(keyOf(id))
        if (payload) payload.consumed = Math.floor(Date.now() / 1000)
      },
      destroy: async (id) => void payloads.delete(keyOf(id)),
      revokeByGrantId: async (grantId) => {
        for (const [key, payload] of payloads) if (payload.grantId === grantId) payloads.delete(key)
      },
    }
  }
}
