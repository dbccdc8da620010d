import { createResource, createSignal, Match, onCleanup, Show, Switch } from "solid-js"
import { render } from "solid-js/web"
import { codeIn, codeOfLink, forgetToken, redeem, storedToken } from "./Access.ts"
import { App } from "./App.tsx"
import { makeStore } from "./Store.ts"
import "./style.css"

const noLink = "This tab was not let in yet: it takes the link that a terminal prints, which is good once."

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
          Come in
        </button>
      </form>
      <Show when={refused()}>
        <p class="error" role="alert">
          There is no code in that.
        </p>
      </Show>
      <p>
        <code>npm start</code> prints one in its terminal. Another one is printed, in the directory of Rejoin,
        by
      </p>
      <pre>npm run -s rejoin console</pre>
    </main>
  )
}

/** Lets the tab in, by the code in its link or by the token that it has; else says how to come in. */
const Page = () => {
  const [code, setCode] = createSignal(codeOfLink() ?? "")
  const [out, setOut] = createSignal<string>()
  const [store] = createResource(code, async (code) => {
    setOut(undefined)
    const token = code === "" ? storedToken() : await redeem(code)
    if (token === null) throw new Error(noLink)
    const store = await makeStore(token, () => {
      forgetToken()
      setOut(noLink)
    })
    await store.start()
    return store
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
    <Switch fallback={<p class="access">…</p>}>
      <Match when={why()}>{(text) => <Entrance why={text()} onCode={setCode} />}</Match>
      <Match when={store.state === "ready" ? store() : undefined}>{(ready) => <App store={ready()} />}</Match>
    </Switch>
  )
}

const root = document.getElementById("root")
if (root !== null) render(() => <Page />, root)
