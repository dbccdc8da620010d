import { createResource, createSignal, Match, Switch } from "solid-js"
import { render } from "solid-js/web"
import { codeOfLink, forgetToken, redeem, storedToken } from "./Access.ts"
import { App } from "./App.tsx"
import { makeStore } from "./Store.ts"
import "./style.css"

const noLink = "Open the link that `npm start` prints, or `rejoin console`: it lets this tab in."

/** Lets the tab in, by the code in its link or by the token that it has; else says how to come in. */
const Page = () => {
  const [out, setOut] = createSignal<string>()
  const [store] = createResource(async () => {
    const code = codeOfLink()
    const token = code === undefined ? storedToken() : await redeem(code)
    if (token === null) throw new Error(noLink)
    const store = await makeStore(token, () => {
      forgetToken()
      setOut(noLink)
    })
    await store.start()
    return store
  })
  const why = () => out() ?? (store.error instanceof Error ? store.error.message : undefined)
  return (
    <Switch fallback={<p class="access">…</p>}>
      <Match when={why()}>
        {(text) => (
          <main class="access">
            <h1>Rejoin</h1>
            <p>{text()}</p>
          </main>
        )}
      </Match>
      <Match when={store()}>{(ready) => <App store={ready()} />}</Match>
    </Switch>
  )
}

const root = document.getElementById("root")
if (root !== null) render(() => <Page />, root)
