import type { OwnSession } from "@rejoin/contracts/OwnSession"
import type { ProviderInfo } from "@rejoin/contracts/Provider"
import { createMemo, createResource, createSignal, For, Show } from "solid-js"
import { visible } from "@rejoin/shown/Visible"
import type { Store } from "./Store.ts"
import { ago } from "@rejoin/shown/Ago"

/** By the directory in which they work; the one in which something happened last is first. */
const grouped = (sessions: ReadonlyArray<OwnSession>) => {
  const groups = new Map<string, Array<OwnSession>>()
  for (const session of sessions) {
    const cwd = session.cwd ?? "?"
    groups.set(cwd, [...(groups.get(cwd) ?? []), session])
  }
  return [...groups]
}

/** What an agent has of its own: to be gone on with here, several at once. */
export const OwnSessions = (props: {
  readonly store: Store
  readonly provider: ProviderInfo["id"]
  readonly onOpen: (id: string) => void
}) => {
  const { attempt, ownSessions } = props.store
  const [opened, setOpened] = createSignal(false)
  const [chosen, setChosen] = createSignal<ReadonlySet<string>>(new Set())
  const [adopts, setAdopts] = createSignal(false)
  const [page] = createResource(
    () => (opened() ? props.provider : undefined),
    (provider) => {
      setChosen(new Set<string>())
      return ownSessions(provider)
    }
  )
  const groups = createMemo(() => grouped(page.latest?.items ?? []))
  const toggle = (id: string) =>
    setChosen((before) => {
      const after = new Set(before)
      if (!after.delete(id)) after.add(id)
      return after
    })
  const adopt = async () => {
    if (adopts()) return
    setAdopts(true)
    let last: string | undefined
    for (const session of chosen()) {
      const payload = { provider: props.provider, session }
      last = (await attempt((client) => client.threads.create({ payload })))?.id ?? last
    }
    setAdopts(false)
    if (last !== undefined) props.onOpen(last)
  }
  return (
    <details class="own" onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>Go on with what {props.provider} has already</summary>
      <Show when={page.error === undefined} fallback={<p class="mark">What it has is out of reach.</p>}>
        <Show when={(page.latest?.unreadable ?? 0) > 0}>
          <p class="mark">{page.latest?.unreadable} cannot be read, and are not shown.</p>
        </Show>
        <For each={groups()} fallback={<p class="mark">{page.loading ? "Looking…" : "It has none."}</p>}>
          {([cwd, sessions]) => (
            <section>
              <h3>{visible(cwd)}</h3>
              <ul>
                <For each={sessions}>
                  {({ archived, holder, providerSessionId, threadId, title, updatedAt }) => (
                    <li>
                      <Show
                        when={threadId}
                        fallback={
                          <label>
                            <input
                              type="checkbox"
                              checked={chosen().has(providerSessionId)}
                              onChange={() => toggle(providerSessionId)}
                            />{" "}
                            {visible(title) || providerSessionId}{" "}
                            <span class="mark">
                              {ago(updatedAt, Date.now())}
                              {holder === "other" && ", open elsewhere"}
                              {archived === true && ", archived"}
                            </span>
                          </label>
                        }
                      >
                        {(id) => (
                          <a href={`#/${id()}`}>
                            {visible(title) || id()} <span class="mark">is a thread already</span>
                          </a>
                        )}
                      </Show>
                    </li>
                  )}
                </For>
              </ul>
            </section>
          )}
        </For>
        <button type="button" disabled={chosen().size === 0 || adopts()} onClick={() => void adopt()}>
          {adopts()
            ? "Reading what was said…"
            : `Go on with ${chosen().size === 1 ? "it" : `these ${chosen().size}`}`}
        </button>
      </Show>
    </details>
  )
}
