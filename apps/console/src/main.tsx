import { createEffect, createResource, createSignal, Match, onCleanup, Show, Switch } from "solid-js"
import { render } from "solid-js/web"
import {
  codeIn,
  codeOfLink,
  forgetToken,
  redeem,
  storedToken,
  tokenByKey,
  tokenOfAnotherTab
} from "./Access.ts"
import { App } from "./App.tsx"
import { Refusal } from "./Link.ts"
import { makeStore, type Store } from "./Store.ts"
import "./styles/base.css"
import "./styles/sidebar.css"
import "./styles/thread.css"
import "./styles/conversation.css"
import "./styles/composer.css"
import "./styles/phone.css"

const isHere = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname)

const noLink = isHere
  ? "Sign in: paste the link from your terminal. It is good once."
  : "This device is not let in, or not any more. It comes in by a code, which is good once."

/** In ms. */
const tryAgain = 3000

/** How one comes in without a link, or with one that was used. */
const Entrance = (props: { readonly why: string; readonly onCode: (code: string) => void }) => {
  const [text, setText] = createSignal("")
  const [refused, setRefused] = createSignal(false)
  return (
    <main class="access">
      <h1>Rejoin</h1>
      <p>{props.why}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          const code = codeIn(text())
          setRefused(code === undefined)
          if (code !== undefined) props.onCode(code)
        }}
      >
        <label for="link">The link, or the code in it</label>
        <input
          id="link"
          required
          autocomplete="off"
          value={text()}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="primary">
          Sign in
        </button>
      </form>
      <Show when={refused()}>
        <p class="error" role="alert">
          There is no code in that.
        </p>
      </Show>
      <Show
        when={isHere}
        fallback={
          <p>
            On the server's own machine <code>rejoin pair</code> shows a code that lets this device in.
          </p>
        }
      >
        <p>
          <code>npm start</code> prints one in its terminal. This command prints another one:
        </p>
        <pre>rejoin console</pre>
        <p>
          In a clone without an installation: <code>npm run -s rejoin console</code>
        </p>
      </Show>
    </main>
  )
}

/** By a code, where there is one that is good; else by the token that the tab has, or that its browser is given. */
const tokenFor = async (code: string): Promise<string> => {
  const own = async () => storedToken() ?? (await tokenOfAnotherTab()) ?? (await tokenByKey())
  if (code === "") {
    const token = await own()
    if (token === undefined) throw new Error(noLink)
    return token
  }
  return redeem(code).catch(async (error: unknown) => {
    // Who is in already stays in, whatever link was pasted; and so does whoever has another tab open.
    const known = await own()
    if (known !== undefined) return known
    throw error
  })
}

/** Lets the tab in, or says how to come in. */
const Page = () => {
  // The same code again is another try: the way to the server may have been broken.
  const [code, setCode] = createSignal(codeOfLink() ?? "", { equals: false })
  const [out, setOut] = createSignal<string>()
  let current: Store | undefined
  const [store] = createResource(code, async (code) => {
    setOut(undefined)
    const token = await tokenFor(code)
    current?.end()
    const own: Store = await makeStore(token, () => {
      // One that was left before knows another token.
      if (current !== own) return
      own.end()
      forgetToken()
      setOut(noLink)
    })
    current = own
    await own.start().catch((error: unknown) => {
      if (!(error instanceof Refusal) || error.tag !== "Unauthorized") throw error
      // A token that was kept is worth nothing any more: it was another one's, or was taken back.
      forgetToken()
      throw new Error(noLink)
    })
    return own
  })
  // A link that is pasted into this tab does not load it anew.
  const onHash = () => {
    const code = codeOfLink()
    if (code !== undefined) setCode(code)
  }
  addEventListener("hashchange", onHash)
  onCleanup(() => removeEventListener("hashchange", onHash))
  const isAway = () => store.error instanceof Refusal && store.error.tag === "HttpClientError"
  createEffect(() => {
    if (!isAway()) return
    const waiting = setTimeout(() => setCode(""), tryAgain)
    onCleanup(() => clearTimeout(waiting))
  })
  const why = () => out() ?? (store.error instanceof Error ? store.error.message : undefined)
  return (
    <Switch fallback={<p class="access">Signing in…</p>}>
      <Match when={isAway()}>
        <main class="access">
          <h1>Rejoin</h1>
          <p role="status">The server cannot be reached. It is tried again every few seconds.</p>
        </main>
      </Match>
      <Match when={why()}>{(text) => <Entrance why={text()} onCode={setCode} />}</Match>
      <Match when={store.state === "ready" ? store() : undefined}>{(ready) => <App store={ready()} />}</Match>
    </Switch>
  )
}

const root = document.getElementById("root")
if (root !== null) render(() => <Page />, root)
