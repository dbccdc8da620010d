import { freshKey, signed } from "./BrowserKey.ts"
import { Refusal } from "./Link.ts"

const key = "rejoin.token"
const wanted = "rejoin.wanted"

/**
 * The token of this tab. It is kept for as long as the tab is, and nowhere else: what is kept for longer would be read by
 * whoever has our port when we are gone. What is kept is a key that nobody can read (BrowserKey.ts).
 */
export const storedToken = (): string | null => sessionStorage.getItem(key)

// Only pages of this server, with its port, hear each other here; its policy lets no script but ours run in one.
const tabs = new BroadcastChannel("rejoin")

/** Lets a new tab in, as this one is. */
tabs.addEventListener("message", ({ data }) => {
  const token = storedToken()
  if (data === "who is in?" && token !== null) tabs.postMessage({ token })
})

/** The token of another tab that is in, where one is; asked for a moment only. */
export const tokenOfAnotherTab = (): Promise<string | undefined> =>
  new Promise((resolve) => {
    const hear = ({ data }: MessageEvent<unknown>) => {
      if (typeof data !== "object" || data === null || !("token" in data)) return
      end(String(data.token))
    }
    const end = (token: string | undefined) => {
      clearTimeout(late)
      tabs.removeEventListener("message", hear)
      if (token !== undefined) sessionStorage.setItem(key, token)
      resolve(token)
    }
    const late = setTimeout(() => end(undefined), 300)
    tabs.addEventListener("message", hear)
    tabs.postMessage("who is in?")
  })

export const forgetToken = (): void => sessionStorage.removeItem(key)

/** The code in a link to the page, or one that was typed without it. */
export const codeIn = (text: string): string | undefined => /(?:^|#code=)([\w-]{8,})$/.exec(text.trim())?.[1]

/** What is to be shown when the tab is let in again. */
export const keepWanted = (hash: string): void => sessionStorage.setItem(wanted, hash)

/**
 * The code in the link that opened the page, taken out of the address at once: it is good only once. What the address
 * named before, a thread for example, is named again.
 */
export const codeOfLink = (): string | undefined => {
  const { hash, pathname } = location
  const code = hash.startsWith("#code=") ? codeIn(hash) : undefined
  if (code === undefined) keepWanted(hash)
  else history.replaceState(null, "", `${pathname}${sessionStorage.getItem(wanted) ?? ""}`)
  return code
}

const post = async (path: string, payload: unknown) => {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    ...(payload !== undefined && { body: JSON.stringify(payload) })
  })
  const body = (await answer.json()) as Record<string, unknown>
  if (answer.ok) return body
  throw new Error(
    typeof body["message"] === "string" ? body["message"] : `The server answered ${answer.status}.`
  )
}

const enter = (body: Record<string, unknown>): string => {
  const token = String(body["token"])
  sessionStorage.setItem(key, token)
  return token
}

/** Trades a code for the token, and lets this browser in by itself from then on. Rejects with the server's own words. */
export const redeem = async (code: string): Promise<string> => {
  const fresh = await freshKey()
  const body = await post("/api/codes/redeem", { code, ...(fresh !== undefined && { key: fresh.shown }) })
  // A browser that keeps nothing is in all the same.
  if (typeof body["browser"] === "string") await fresh?.keep(body["browser"]).catch(() => undefined)
  return enter(body)
}

/** The token, where this browser was let in before. */
export const tokenByKey = async (): Promise<string | undefined> => {
  try {
    const word = await signed(async () =>
      String((await post("/api/browsers/challenge", undefined))["challenge"])
    )
    return word && enter(await post("/api/browsers/enter", word))
  } catch (error) {
    // The way to the server is broken: whether it would let us in is not known.
    if (error instanceof TypeError) throw new Refusal({ _tag: "HttpClientError" })
    return undefined
  }
}
