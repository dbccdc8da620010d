import { createResource, createSignal, Match, onCleanup, Show, Switch } from "solid-js"
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
import { makeStore, type Store } from "./Store.ts"
import "./styles/base.css"
import "./styles/sidebar.css"
import "./styles/thread.css"
import "./styles/conversation.css"
import "./styles/composer.css"
import "./styles/phone.css"

const noLink = "Sign in: paste the link from your terminal. It is good once."

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
      <p>
        <code>npm start</code> prints one in its terminal. This command prints another one:
      </p>
      <pre>rejoin console</pre>
      <p>
        In a clone without an installation: <code>npm run -s rejoin console</code>
      </p>
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
    await own.start()
    return own
  })
  // A link that is pasted into this tab does not load it anew.
  const onHash = () => {
    const code = codeOfLink()
    if (code !== undefined) setCode(code)
  }
  addEventListener("hashchange", onHash)
  onCleanup(() => removeEventListener("hashchange", onHash))
  const why = () => out() ?? (store.error instanceof Error ? store.error.message : undefined)
  return (
    <Switch fallback={<p class="access">Signing in…</p>}>
      <Match when={why()}>{(text) => <Entrance why={text()} onCode={setCode} />}</Match>
      <Match when={store.state === "ready" ? store() : undefined}>{(ready) => <App store={ready()} />}</Match>
    </Switch>
  )
}

const root = document.getElementById("root")
if (root !== null) render(() => <Page />, root)
