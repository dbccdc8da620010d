import type { Directory } from "@rejoin/contracts/Directory"
import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Thread } from "@rejoin/contracts/Thread"
import { createEffect, createSignal, For, onMount, Show, untrack } from "solid-js"
import { AgentMark } from "./AgentMark.tsx"
import { ModelField } from "./ModelField.tsx"
import { OwnSessions } from "./OwnSessions.tsx"
import { DirectoryField } from "./DirectoryField.tsx"
import { type Draft, draft, draftOf, keepDraft } from "./Drafts.ts"
import { focusMessage } from "./Focus.ts"
import { Icon } from "./Icon.tsx"
import { MessageBox } from "./MessageBox.tsx"
import type { Store } from "./Store.ts"
import { Told } from "./Told.tsx"
import { modes } from "@rejoin/shown/Words"
import { allows, atMost } from "./Text.ts"

const Agents = (props: { readonly store: Store }) => (
  <>
    <h2>Agents</h2>
    <ul class="providers">
      <For each={props.store.state.providers}>
        {(info) => (
          <li class={info.status}>
            <AgentMark driver={info.driver} name={info.driver} />
            <strong>{info.id}</strong>
            <Show when={info.id !== info.driver}> {info.driver}</Show> {info.version}
            <Show when={info.status === "unusable"} fallback={<span>ready</span>}>
              <span>
                <Told text={info.reason ?? "It cannot be used."} />
              </span>
            </Show>
            <Show when={info.authenticated === false}>
              <span>no account was found: log in with the agent itself</span>
            </Show>
          </li>
        )}
      </For>
    </ul>
  </>
)

/** A new thread: what is said first, to which agent, where, and with which powers. */
export const NewThread = (props: {
  readonly store: Store
  /** The directory of the thread that was looked at before. */
  readonly from: string | undefined
  /** A thread whose agent, directory, powers and model it is to have, until others are chosen. */
  readonly like: Thread | undefined
  readonly onOpen: (id: string) => void
  readonly onBack: () => void
}) => {
  const { attempt, look, state } = props.store
  const ready = () => state.providers.filter(({ status }) => status === "ready")
  const known = () => [...new Set(state.threads.map(({ cwd }) => cwd))]
  const like = untrack(() => props.like)
  const [provider, setProvider] = createSignal<string>(like?.provider ?? "")
  const chosen = () => provider() || (ready()[0]?.id ?? "")
  const [cwd, setCwd] = createSignal(like?.cwd ?? untrack(() => props.from) ?? "")
  const [found, setFound] = createSignal<{
    readonly typed: string
    readonly directory: Directory | undefined
  }>()
  const [wanted, setMode] = createSignal<RuntimeMode | undefined>(like?.runtimeMode)
  const mode = () => atMost(state.device, wanted() ?? state.defaultMode)
  // An agent is started to be asked: only where somebody wants to choose.
  const [asks, setAsks] = createSignal(false)
  const [model, setModel] = createSignal(like?.model ?? "")
  const [title, setTitle] = createSignal("")
  const [typed, setTyped] = createSignal(draftOf("new"))
  const write = (next: Draft) => {
    setTyped(next)
    keepDraft("new", next)
  }
  const [starts, setStarts] = createSignal(false)
  onMount(focusMessage)
  // Where the server was started, until another one is typed.
  let untouched = cwd() === ""
  createEffect(() => {
    const first = found()?.directory
    if (first === undefined || !untouched) return
    untouched = false
    setCwd(first.path)
  })

  const create = async () => {
    const chosenMode = mode()
    // The worktrees of one repository are one project.
    const here = found()?.typed === cwd() ? found()?.directory : undefined
    const project = here?.worktrees[0]?.path
    const thread = await attempt((client) =>
      client.threads.create({
        payload: {
          provider: ProviderInstanceId.make(chosen()),
          cwd: cwd().trim(),
          ...(project !== undefined && { project }),
          ...(chosenMode !== undefined && { runtimeMode: chosenMode }),
          ...(model().trim() !== "" && { model: model().trim() }),
          ...(title().trim() !== "" && { title: title().trim() })
        }
      })
    )
    if (thread === undefined) return
    const { key: idempotencyKey, text } = typed()
    const input = text.trim()
    const sent =
      input === "" ||
      (await attempt((client) =>
        client.turns.send({ params: { id: thread.id }, payload: { input, idempotencyKey } })
      ))
    // What was refused is there to be sent again, as the same message.
    if (!sent) keepDraft(thread.id, { key: idempotencyKey, text })
    write(draft(""))
    props.onOpen(thread.id)
  }
  const submit = async () => {
    if (starts()) return
    setStarts(true)
    await create()
    setStarts(false)
  }
  return (
    <main class="new">
      <div class="head">
        <button class="back plain" onClick={() => props.onBack()} aria-label="All threads">
          <Icon name="back" />
        </button>
        <h1>New thread</h1>
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <div class="box">
          <MessageBox
            store={props.store}
            cwd={cwd()}
            rows={3}
            text={typed().text}
            placeholder="What should the agent do? @ names a file."
            onText={(text) => write(draft(text))}
            onSend={() => void submit()}
          />
          <div class="controls">
            <label class="hidden" for="provider">
              Agent
            </label>
            <select
              id="provider"
              class="chip"
              title="Agent"
              value={chosen()}
              onChange={(event) => setProvider(event.currentTarget.value)}
            >
              <For each={ready()}>
                {(info) => (
                  <option value={info.id}>
                    {info.id === info.driver ? info.id : `${info.id} (${info.driver})`} {info.version}
                  </option>
                )}
              </For>
            </select>
            <label class="hidden" for="mode">
              What it may do without asking
            </label>
            <select
              id="mode"
              class={`chip ${mode() ?? ""}`}
              title="What it may do without asking"
              value={mode() ?? ""}
              onChange={(event) => setMode(event.currentTarget.value as RuntimeMode)}
            >
              <For each={RuntimeMode.literals.filter((mode) => allows(state.device, mode))}>
                {(mode) => <option value={mode}>{mode}</option>}
              </For>
            </select>
            <span class="gap" />
            <button type="submit" class="primary" disabled={ready().length === 0 || starts()}>
              {starts() ? "Starting…" : "Start"}
            </button>
          </div>
        </div>
        <Show when={mode()}>{(mode) => <p class="mark">{modes[mode()]}</p>}</Show>
        <DirectoryField
          value={cwd()}
          known={known()}
          look={look}
          onChange={(path) => {
            untouched = false
            setCwd(path)
          }}
          onFound={(typed, directory) => setFound({ typed, directory })}
        />
        <details onToggle={(event) => event.currentTarget.open && setAsks(true)}>
          <summary>Model and name</summary>
          <label for="model">Model (left empty: the agent's own choice)</label>
          <ModelField
            id="model"
            store={props.store}
            provider={asks() ? chosen() : ""}
            value={model()}
            onChange={setModel}
          />
          <label for="title">Name (left empty: from the first message)</label>
          <input
            id="title"
            maxlength="500"
            value={title()}
            onInput={(event) => setTitle(event.currentTarget.value)}
          />
        </details>
      </form>
      <Show when={ready().find(({ id }) => id === chosen())}>
        {(info) => <OwnSessions store={props.store} provider={info().id} onOpen={props.onOpen} />}
      </Show>
      <Agents store={props.store} />
    </main>
  )
}
