import type { Device } from "@rejoin/contracts/Device"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { ago } from "@rejoin/shown/Ago"
import { visible } from "@rejoin/shown/Visible"
import { modes } from "@rejoin/shown/Words"
import { createResource, createSignal, For, Show } from "solid-js"
import { Panel } from "./Panel.tsx"
import { PushField } from "./PushField.tsx"
import { QrCode } from "./QrCode.tsx"
import type { Store } from "./Store.ts"

const here = new Set(["127.0.0.1", "localhost"])

/** A code that lets a phone in, and those that were let in. The owner's alone. */
const Devices = (props: { readonly store: Store }) => {
  const [name, setName] = createSignal("Phone")
  const [mode, setMode] = createSignal<RuntimeMode>("approval-required")
  const [code, setCode] = createSignal<{ readonly link: string; readonly expiresAt: string }>()
  const [devices, { refetch }] = createResource(
    async (): Promise<ReadonlyArray<Device>> =>
      (await props.store.ask((client) => client.devices.list()))?.items ?? []
  )
  const pair = async () => {
    const payload = { name: name().trim() || "Phone", mode: mode() }
    setCode(await props.store.attempt((client) => client.devices.pair({ payload })))
  }
  const revoke = async ({ id }: Device) => {
    await props.store.attempt((client) => client.devices.revoke({ params: { id } }))
    await refetch()
  }
  const isReached = (link: string) => !here.has(new URL(link).hostname)
  return (
    <>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault()
          void pair()
        }}
      >
        <label for="device-name">Let a device in</label>
        <input
          id="device-name"
          maxlength="100"
          value={name()}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <label for="device-mode">with at most</label>
        <select
          id="device-mode"
          title={modes[mode()]}
          value={mode()}
          onChange={(event) => setMode(event.currentTarget.value as RuntimeMode)}
        >
          <For each={RuntimeMode.literals}>{(mode) => <option value={mode}>{mode}</option>}</For>
        </select>
        <button type="submit">Show a code</button>
      </form>
      <Show when={code()}>
        {(code) => (
          <div role="status">
            <QrCode text={code().link} label="The code to scan with the phone's camera" />
            <p>
              <code>{code().link}</code>
            </p>
            <p>It is good once, until {new Date(code().expiresAt).toLocaleTimeString()}.</p>
            <Show when={!isReached(code().link)}>
              <p class="error">
                No other machine reaches this server yet: it listens on this one alone. Give it TLS, or a
                proxy, first.
              </p>
            </Show>
          </div>
        )}
      </Show>
      <ul class="rules">
        <For each={devices.latest ?? []}>
          {(device) => (
            <li>
              <span>
                {visible(device.name)} <span class="mark">{device.mode}</span>{" "}
                <span class="mark">seen {ago(device.lastSeenAt, Date.now())}</span>
              </span>
              <button type="button" onClick={() => void revoke(device)}>
                Revoke
              </button>
            </li>
          )}
        </For>
      </ul>
    </>
  )
}

/** Other devices than the one that is looked at, and how this one is told when nobody looks. */
export const DevicesPanel = (props: { readonly store: Store }) => {
  const [open, setOpen] = createSignal(false)
  return (
    <>
      <button class="small" aria-expanded={open()} onClick={() => setOpen(!open())}>
        Phone and notifications
      </button>
      <Show when={open()}>
        <Panel label="Phone and notifications" onClose={() => setOpen(false)}>
          <Show when={props.store.state.device} fallback={<Devices store={props.store} />}>
            {(device) => (
              <p>
                This is {visible(device().name)}: it may use {device().mode} at most.
              </p>
            )}
          </Show>
          <PushField store={props.store} />
        </Panel>
      </Show>
    </>
  )
}
