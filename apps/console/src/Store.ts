import type { RejoinClient } from "@rejoin/client/Client"
import { everything } from "@rejoin/client/Pages"
import type { Device } from "@rejoin/contracts/Device"
import type { Item } from "@rejoin/contracts/Item"
import type { ProviderInfo } from "@rejoin/contracts/Provider"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import type { Thread } from "@rejoin/contracts/Thread"
import { Effect } from "effect"
import { batch, createSignal } from "solid-js"
import { createStore, produce, reconcile } from "solid-js/store"
import { apply, type Conversation, filesOf, turnsOf } from "./Conversation.ts"
import { canRunWorker, startWorker } from "./Worker.ts"
import { makeLink, Refusal } from "./Link.ts"

export interface State {
  threads: Array<Thread>
  providers: Array<ProviderInfo>
  /** This one, where it is not the owner's own browser. */
  device: Device | undefined
  /** Of a thread that is begun without one; known once the providers are. */
  defaultMode: RuntimeMode | undefined
  /** Threads in which something happened since they were last looked at. */
  unread: Record<string, boolean>
  open: Conversation | undefined
  /** What was to be opened could not be. */
  missing: boolean
  /** There may be items before those that are shown. */
  older: boolean
  /** The item that was looked for, where one was. */
  sought: string | undefined
}

const pageSize = 200

/** What was said before a thread began, and the last turn of that. */
interface Inherited {
  readonly items: ReadonlyArray<Item>
  readonly last: Conversation["inheritedLast"]
}

/** Everything that the page shows, and how it follows the server. */
export const makeStore = async (token: string, onUnauthorized: () => void) => {
  const link = await makeLink(token)
  const [state, setState] = createStore<State>({
    threads: [],
    providers: [],
    device: undefined,
    defaultMode: undefined,
    unread: {},
    open: undefined,
    missing: false,
    older: false,
    sought: undefined
  })
  const change = (body: (draft: State) => void) => setState(produce(body))
  const [connected, setConnected] = createSignal(true)
  const [refusal, setRefusal] = createSignal<Refusal>()
  const ended = new AbortController()

  /** Asks for something, and shows the server's words where it refuses. Undefined then. */
  const ask = async <A, E>(use: (client: RejoinClient) => Effect.Effect<A, E>): Promise<A | undefined> => {
    try {
      return await link.call(use)
    } catch (error) {
      const told = error instanceof Refusal ? error : new Refusal(error)
      if (told.tag === "Unauthorized") onUnauthorized()
      else setRefusal(told)
      return undefined
    }
  }

  /** Does something; what was refused before is past when it is done. */
  const attempt = async <A, E>(
    use: (client: RejoinClient) => Effect.Effect<A, E>
  ): Promise<A | undefined> => {
    let done = false
    const result = await ask((client) =>
      Effect.tap(use(client), () =>
        Effect.sync(() => {
          done = true
        })
      )
    )
    if (done) setRefusal(undefined)
    return result
  }

  const putThread = (thread: Thread) =>
    change(({ threads }) => {
      const at = threads.findIndex(({ id }) => id === thread.id)
      if (at >= 0) threads[at] = thread
      else threads.push(thread)
    })

  // Threads that changed are asked for one after the other, once a frame at most, whatever streams in them.
  const changed = new Set<string>()
  let refreshing = false
  const refresh = async () => {
    if (refreshing) return
    refreshing = true
    for (const id of changed) {
      changed.delete(id)
      try {
        putThread(await link.call((client) => client.threads.get({ params: { id } })))
      } catch (error) {
        if (error instanceof Refusal && error.tag === "ThreadNotFound") {
          change((draft) => {
            draft.threads = draft.threads.filter((thread) => thread.id !== id)
          })
        } else {
          // The server is away: when it is back, all are asked for.
          break
        }
      }
    }
    refreshing = false
  }

  /** It is gone: shown no more, and said to be where it was open. */
  const forget = (draft: State, id: string) => {
    draft.threads = draft.threads.filter((thread) => thread.id !== id)
    if (draft.open?.threadId !== id) return
    draft.open = undefined
    draft.missing = true
  }

  /** A thread that is being loaded: what happens meanwhile is applied to what comes. */
  let loading: { readonly id: string; readonly events: Array<RuntimeEvent> } | undefined
  let waiting: Array<RuntimeEvent> = []
  const flush = () => {
    const events = waiting
    waiting = []
    batch(() => {
      change((draft) => {
        for (const event of events) {
          if (event.type === "thread.deleted") forget(draft, event.threadId)
          if (event.threadId === draft.open?.threadId) apply(draft.open, event)
          else if (event.threadId === loading?.id) loading.events.push(event)
          else if (!event.type.startsWith("item.")) draft.unread[event.threadId] = true
          if (!event.type.startsWith("item.")) changed.add(event.threadId)
        }
      })
    })
    if (changed.size > 0) void refresh()
  }
  const onEvent = (event: RuntimeEvent) => {
    if (waiting.push(event) === 1) {
      // A tab that is not looked at has no frames.
      if (document.hidden) setTimeout(flush, 100)
      else requestAnimationFrame(flush)
    }
  }

  const loadThreads = async () => {
    const items = await link.call((client) => everything((query) => client.threads.list({ query })))
    setState("threads", reconcile([...items]))
  }
  /** After a break: what could not be asked for, and all of it where the server has another past. */
  const again = async (anew: boolean) => {
    setConnected(true)
    if (refusal()?.tag === "HttpClientError") setRefusal(undefined)
    await loadThreads().catch(() => undefined)
    if (wanted !== undefined && (anew || state.open === undefined)) await show(wanted)
  }

  const start = async () => {
    // Whose token it is comes first: one that is worth nothing any more is told as that.
    const { device } = await link.call((client) => client.devices.me())
    setState("device", device ?? undefined)
    // A device that was let in stays: its page opens where there is no network.
    if (device !== null && canRunWorker()) void startWorker().catch(() => undefined)
    const position = await link.position()
    await loadThreads()
    link.follow(
      position,
      {
        event: onEvent,
        connected: (anew) => void again(anew),
        away: () => setConnected(false),
        refused: onUnauthorized
      },
      ended.signal
    )
    // Each agent is asked for its version: the threads are there before.
    void link
      .call((client) => client.providers.list())
      .then(({ defaults, items }) => setState({ providers: [...items], defaultMode: defaults.runtimeMode }))
      .catch(() => undefined)
  }

  /**
   * What a fork goes on from: the last items that its origin had then, and before them what that was a fork of. None where
   * they are gone.
   */
  const inheritedBy = async ({ forkedFrom, id }: Thread, most = pageSize): Promise<Inherited> => {
    if (forkedFrom === undefined) return { items: [], last: undefined }
    const { threadId, turnId } = forkedFrom
    // Ids are in the order of their making, behind their prefix.
    const isBefore = (item: Item) =>
      turnId === undefined ? item.turnId.slice(4) < id.slice(4) : item.turnId <= turnId
    const params = { id: threadId }
    let before: string | undefined
    for (;;) {
      const query = { limit: pageSize, ...(before !== undefined && { before }) }
      const { items } = await link
        .call((client) => client.threads.items({ params, query }))
        .catch(() => ({ items: [] }))
      const found = items.filter(isBefore).slice(-most)
      const isWhole = items.length < pageSize
      // The origin may have gone on for long.
      if (found.length === 0 && !isWhole) {
        before = items[0]?.id
        continue
      }
      const own = found.at(-1)
      const last = own && { threadId, turnId: own.turnId }
      if (!isWhole || found.length >= most) return { items: found, last }
      const origin = await link.call((client) => client.threads.get({ params })).catch(() => undefined)
      if (origin === undefined) return { items: found, last }
      const earlier = await inheritedBy(origin, most - found.length)
      return { items: [...earlier.items, ...found], last: last ?? earlier.last }
    }
  }

  /** The thread that is looked at, shown already or not. */
  let wanted: string | undefined
  /** Shows a thread: its last items, and what happens from then on. */
  const show = (id: string | undefined) => (showing = load(id))
  let showing: Promise<void> = Promise.resolve()
  const load = async (id: string | undefined) => {
    wanted = id
    loading = undefined
    setState({ open: undefined, older: false, missing: false, sought: undefined })
    if (id === undefined) return
    const own = { id, events: [] }
    loading = own
    const params = { id }
    const snapshot = await ask((client) => client.snapshot(id))
    // The turn of the first item that is shown, and those after it: earlier ones are past.
    const turnId = snapshot?.items[0]?.turnId
    const oldest = turnId && (await ask((client) => client.turns.get({ params: { id, turnId }, query: {} })))
    const turns = await ask((client) =>
      everything(({ after = turnId, limit }) =>
        client.turns.list({ params, query: { limit, ...(after !== undefined && { after }) } })
      )
    )
    const receipts = await ask((client) => everything((query) => client.threads.receipts({ params, query })))
    const inherited = snapshot && (await inheritedBy(snapshot.thread))
    // Somebody looks at another thread by now.
    if (loading !== own) return
    loading = undefined
    if (!snapshot || !turns || !receipts) {
      setState("missing", true)
      return
    }
    const open: Conversation = {
      threadId: id,
      inherited: inherited?.items ?? [],
      inheritedLast: inherited?.last,
      seq: snapshot.seq,
      items: [...snapshot.items],
      requests: [...snapshot.requests],
      receipts: [...receipts],
      turns: turnsOf(oldest ? [oldest, ...turns] : turns),
      files: filesOf(oldest ? [oldest, ...turns] : turns),
      notices: []
    }
    for (const event of own.events) apply(open, event)
    change((draft) => {
      draft.open = open
      draft.older = snapshot.items.length >= pageSize
      draft.unread[id] = false
    })
    putThread(snapshot.thread)
  }

  /** A directory in which threads may work; undefined where it is none. */
  const look = (path: string | undefined) =>
    link
      .call((client) => client.directories.look({ query: path === undefined ? {} : { path } }))
      .catch(() => undefined)

  /** The items before those that are shown. */
  const showOlder = async () => {
    const { open } = state
    const first = open?.items[0]
    if (open === undefined || first === undefined) return
    const page = await ask((client) =>
      client.threads.items({ params: { id: open.threadId }, query: { before: first.id, limit: pageSize } })
    )
    if (page === undefined || state.open?.items[0]?.id !== first.id) return
    change((draft) => {
      draft.open?.items.unshift(...page.items)
      draft.older = page.items.length >= pageSize
    })
  }

  /** What an agent has in its own store, the newest first. */
  const ownSessions = (id: string) =>
    link.call((client) => client.providers.sessions({ params: { id }, query: { limit: 200 } }))

  /** The models of an agent; none where it is away, or tells none. */
  const models = (id: string) =>
    link
      .call((client) => client.providers.models({ params: { id } }))
      .then(({ items }) => items)
      .catch(() => [])

  /** Files in a directory whose path has these characters; none where it cannot be read. */
  const files = (path: string, q: string) =>
    link
      .call((client) => client.directories.files({ query: { path, q } }))
      .then(({ items }) => items)
      .catch((): ReadonlyArray<string> => [])

  /** Where something was said or done, in one thread or in all. */
  const search = (q: string, thread?: string) =>
    link
      .call((client) =>
        client.search.search({ query: { q, limit: 30, ...(thread !== undefined && { thread }) } })
      )
      .catch(() => undefined)

  /** Shows an item of the thread that is being opened, however far back it is. */
  const seek = async (threadId: string, itemId: string) => {
    await showing
    for (;;) {
      const { older, open } = state
      if (open?.threadId !== threadId) return
      const shown = open.items.length
      if ([...open.inherited, ...open.items].some(({ id }) => id === itemId))
        return setState("sought", itemId)
      if (!older) return
      await showOlder()
      // It could not be asked for, which is told.
      if (state.open?.items.length === shown) return
    }
  }

  /** Forgets the thread; the agent keeps its conversation. */
  const remove = async (id: string): Promise<boolean> => {
    const gone = await attempt((client) =>
      Effect.as(client.threads.remove({ params: { id } }), true as const)
    )
    if (gone === true) {
      change((draft) => {
        draft.threads = draft.threads.filter((thread) => thread.id !== id)
      })
    }
    return gone === true
  }

  return {
    remove,
    state,
    connected,
    refusal,
    setRefusal,
    ask,
    attempt,
    start,
    show,
    showOlder,
    ownSessions,
    models,
    search,
    files,
    seek,
    look,
    end: () => ended.abort()
  }
}

export type Store = Awaited<ReturnType<typeof makeStore>>
