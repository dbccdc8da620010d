const key = "rejoin.token"
const wanted = "rejoin.wanted"

/**
 * The token of this tab. It is kept for as long as the tab is, and nowhere else: what is kept for longer would be read by
 * whoever has our port when we are gone.
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

/** Trades a code for the token. Rejects with the server's own words. */
export const redeem = async (code: string): Promise<string> => {
  const answer = await fetch("/api/codes/redeem", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code })
  })
  const body = (await answer.json()) as { readonly token?: string; readonly message?: string }
  if (body.token === undefined) throw new Error(body.message ?? `The server answered ${answer.status}.`)
  sessionStorage.setItem(key, body.token)
  return body.token
}
