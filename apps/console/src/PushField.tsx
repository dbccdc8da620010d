import type { PushSubscription, PushTarget, QuietHours } from "@rejoin/contracts/Push"
import { createResource, createSignal, Show } from "solid-js"
import type { Store } from "./Store.ts"
import { canPush, pushId, pushTarget, subscribe, unsubscribe } from "./Worker.ts"

const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone

/** Whether this browser is told when its page is closed, and when it is left in peace. */
export const PushField = (props: { readonly store: Store }) => {
  const [why, setWhy] = createSignal<string>()
  const [known, { refetch }] = createResource(async () => {
    const target = await pushTarget()
    if (target === undefined) return undefined
    const told = await props.store.ask((client) => client.push.list())
    const own = await pushId(target)
    const subscription = told?.items.find(({ id }) => id === own)
    return subscription && { target, subscription }
  })
  const put = (target: PushTarget, quiet: QuietHours | undefined) =>
    props.store.attempt((client) =>
      client.push.subscribe({ payload: { ...target, ...(quiet && { quiet }) } })
    )
  const turnOn = async () => {
    setWhy(undefined)
    try {
      const key = await props.store.attempt((client) => client.push.key())
      if (key !== undefined) await put(await subscribe(key.publicKey), undefined)
    } catch (error) {
      setWhy(error instanceof Error ? error.message : String(error))
    }
    await refetch()
  }
  const turnOff = async ({ id }: PushSubscription) => {
    await unsubscribe().catch(() => undefined)
    await props.store.attempt((client) => client.push.unsubscribe({ params: { id } }))
    await refetch()
  }
  /** Both hours, or none: one alone says nothing yet. */
  const setQuiet = async (target: PushTarget, from: string, to: string) => {
    setWhy(from !== "" && from === to ? "Quiet hours begin and end at different times." : undefined)
    if ((from === "") !== (to === "") || (from !== "" && from === to)) return
    await put(target, from === "" ? undefined : { from, to, zone: zone() })
  }
  return (
    <section aria-label="Notifications">
      <h3>Notifications on this device</h3>
      <Show
        when={canPush()}
        fallback={
          <p class="mark">This browser is not told when the page is closed: it has no web push here.</p>
        }
      >
        <Show
          when={known()}
          fallback={
            <button type="button" onClick={() => void turnOn()}>
              Tell me when the page is closed
            </button>
          }
        >
          {(on) => {
            let from: HTMLInputElement | undefined
            let to: HTMLInputElement | undefined
            const save = () => void setQuiet(on().target, from?.value ?? "", to?.value ?? "")
            return (
              <>
                <p>
                  What waits for you, what has ended, and what met its usage limit is told here, with the
                  thread's title and nothing else of it.
                </p>
                <p class="row">
                  <label for="quiet-from">Quiet from</label>
                  <input
                    id="quiet-from"
                    type="time"
                    value={on().subscription.quiet?.from ?? ""}
                    ref={(field) => (from = field)}
                    onChange={save}
                  />
                  <label for="quiet-to">to</label>
                  <input
                    id="quiet-to"
                    type="time"
                    value={on().subscription.quiet?.to ?? ""}
                    ref={(field) => (to = field)}
                    onChange={save}
                  />
                </p>
                <button type="button" onClick={() => void turnOff(on().subscription)}>
                  Do not tell me
                </button>
              </>
            )
          }}
        </Show>
        <Show when={why()}>
          {(text) => (
            <p class="error" role="alert">
              {text()}
            </p>
          )}
        </Show>
      </Show>
    </section>
  )
}
