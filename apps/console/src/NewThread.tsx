import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { createEffect, createResource, createSignal, For, Show } from "solid-js"
import type { Store } from "./Store.ts"

/** A new thread: which agent, where, and with which powers. */
export const NewThread = (props: { readonly store: Store; readonly onOpen: (id: string) => void }) => {
  const ready = () => props.store.state.providers.filter(({ status }) => status === "ready")
  const known = () => [...new Set(props.store.state.threads.map(({ cwd }) => cwd))]
  const [provider, setProvider] = createSignal("")
  // Where the server was started, until another one is chosen.
  const [cwd, setCwd] = createSignal("")
  const [directory] = createResource(
    () => cwd(),
    (path) => props.store.look(path === "" ? undefined : path)
  )
  createEffect(() => {
    const found = directory.latest
    if (cwd() === "" && found !== undefined) setCwd(found.path)
  })
  const [runtimeMode, setMode] = createSignal<RuntimeMode | "">("")
  const [model, setModel] = createSignal("")
  const [title, setTitle] = createSignal("")

  const create = async () => {
    const mode = runtimeMode()
    const thread = await props.store.attempt((client) =>
      client.threads.create({
        payload: {
          provider: ProviderInstanceId.make(provider() || (ready()[0]?.id ?? "")),
          cwd: cwd().trim(),
          ...(mode !== "" && { runtimeMode: mode }),
          ...(model().trim() !== "" && { model: model().trim() }),
          ...(title().trim() !== "" && { title: title().trim() })
        }
      })
    )
    if (thread !== undefined) props.onOpen(thread.id)
  }
  return (
    <main class="new">
      <h1>New thread</h1>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void create()
        }}
      >
        <label for="provider">Agent</label>
        <select id="provider" onChange={(event) => setProvider(event.currentTarget.value)}>
          <For each={ready()}>
            {(info) => (
              <option value={info.id}>
                {info.id} ({info.driver} {info.version})
              </option>
            )}
          </For>
        </select>
        <label for="cwd">Directory</label>
        <input
          id="cwd"
          list="directories"
          required
          placeholder="/path/to/your/project"
          value={cwd()}
          onInput={(event) => setCwd(event.currentTarget.value)}
        />
        <datalist id="directories">
          <For each={known()}>{(directory) => <option value={directory} />}</For>
        </datalist>
        <div class="picker" role="group" aria-label="Directories there">
          <Show when={directory.latest?.parent}>
            {(parent) => (
              <button type="button" onClick={() => setCwd(parent())}>
                ↑ up
              </button>
            )}
          </Show>
          <For each={directory.latest?.directories}>
            {(name) => (
              <button type="button" onClick={() => setCwd(`${directory.latest?.path ?? ""}/${name}`)}>
                {name}
              </button>
            )}
          </For>
        </div>
        <label for="mode">What it may do without asking</label>
        <select
          id="mode"
          value={runtimeMode()}
          onChange={(event) => setMode(event.currentTarget.value as RuntimeMode | "")}
        >
          <option value="">as configured</option>
          <For each={RuntimeMode.literals}>{(mode) => <option value={mode}>{mode}</option>}</For>
        </select>
        <label for="model">Model (else the agent's own choice)</label>
        <input
          id="model"
          value={model()}
          placeholder={ready().find(({ id }) => id === (provider() || ready()[0]?.id))?.model ?? ""}
          onInput={(event) => setModel(event.currentTarget.value)}
        />
        <label for="title">Title (as you like)</label>
        <input id="title" value={title()} onInput={(event) => setTitle(event.currentTarget.value)} />
        <button type="submit" class="primary" disabled={ready().length === 0}>
          Open
        </button>
      </form>
      <h2>Agents</h2>
      <ul class="providers">
        <For each={props.store.state.providers}>
          {(info) => (
            <li class={info.status}>
              <strong>{info.id}</strong> {info.driver} {info.version}
              <Show when={info.status === "unusable"} fallback={<> · ready</>}>
                {" "}
                · cannot be used: {info.reason}
              </Show>
              <Show when={info.authenticated === false}>
                {" "}
                · no account was found: log in with the agent itself
              </Show>
            </li>
          )}
        </For>
      </ul>
    </main>
  )
}
