/**
 * The key by which this browser lets itself in again. It is made here, kept by the browser for this address, and cannot
 * be read out of it by anybody: whoever has our port when we are gone finds nothing to take along.
 */
const algorithm = { name: "ECDSA", namedCurve: "P-256" }

const opened = () =>
  new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open("rejoin", 1)
    request.addEventListener("upgradeneeded", () => request.result.createObjectStore("keys"))
    request.addEventListener("success", () => resolve(request.result))
    request.addEventListener("error", () => reject(request.error ?? new Error("Nothing can be kept here.")))
  })

const within = async <A>(mode: IDBTransactionMode, use: (store: IDBObjectStore) => IDBRequest<A>) => {
  const database = await opened()
  try {
    return await new Promise<A>((resolve, reject) => {
      const request = use(database.transaction("keys", mode).objectStore("keys"))
      request.addEventListener("success", () => resolve(request.result))
      request.addEventListener("error", () => reject(request.error ?? new Error("Nothing can be kept here.")))
    })
  } finally {
    database.close()
  }
}

interface Known {
  readonly browser: string
  readonly key: CryptoKey
}

const base64 = (bytes: ArrayBuffer) => btoa(String.fromCharCode(...new Uint8Array(bytes)))

export interface FreshKey {
  /** As the server takes it. */
  readonly shown: string
  /** Keeps it, once the server has given this browser an id. */
  readonly keep: (browser: string) => Promise<unknown>
}

/** A new one; undefined where the browser has none to give, as on an address without TLS that is not this machine. */
export const freshKey = async (): Promise<FreshKey | undefined> => {
  try {
    const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, false, ["sign"])
    return {
      shown: base64(await crypto.subtle.exportKey("spki", publicKey)),
      keep: (browser) => within("readwrite", (store) => store.put({ browser, key: privateKey }, "own"))
    }
  } catch {
    return undefined
  }
}

/** Who this browser is, and its word for it; undefined where it was never let in. */
export const signed = async (
  challenge: () => Promise<string>
): Promise<
  { readonly browser: string; readonly challenge: string; readonly signature: string } | undefined
> => {
  const known = await within<Known | undefined>("readonly", (store) => store.get("own"))
  if (known === undefined) return undefined
  const given = await challenge()
  const said = new TextEncoder().encode(`rejoin ${location.origin} ${given}`)
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, known.key, said)
  return { browser: known.browser, challenge: given, signature: base64(signature) }
}
