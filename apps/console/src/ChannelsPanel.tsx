import type { ChannelInfo, ChannelPeer, PairingCode } from "@rejoin/contracts/Channel"
import { ago } from "@rejoin/shown/Ago"
import { channelName, channelText } from "@rejoin/shown/Channels"
import { visible } from "@rejoin/shown/Visible"
import { createResource, createSignal, For, Show } from "solid-js"
import { Panel } from "./Panel.tsx"
import type { Store } from "./Store.ts"

/** One chat platform: how it is, who was let in, and a code that lets in another one. */
const Channel = (props: {
  readonly channel: ChannelInfo
  readonly store: Store
  readonly onChange: () => void
}) => {
  const params = () => ({ id: props.channel.id })
  const [code, setCode] = createSignal<PairingCode>()
  const [peers, { refetch }] = createResource(
    () => props.channel.peers,
    async (): Promise<ReadonlyArray<ChannelPeer>> =>
      (await props.store.ask((client) => client.channels.peers({ params: params() })))?.items ?? []
  )
  const pair = async () =>
    setCode(await props.store.attempt((client) => client.channels.pair({ params: params() })))
  const revoke = async ({ id }: ChannelPeer) => {
    await props.store.attempt((client) => client.channels.revoke({ params: { ...params(), peer: id } }))
    await refetch()
    props.onChange()
  }
  const [head, ...rest] = channelText(props.channel, ago(props.channel.since, Date.now()))
  return (
    <section aria-label={`${channelName(props.channel)}, ${props.channel.id}`}>
      <h3 class={props.channel.state === "down" ? "down" : undefined}>{visible(head ?? "")}</h3>
      <For each={rest}>{(line) => <p class="mark">{visible(line)}</p>}</For>
      <ul class="rules">
        <For each={peers()}>
          {(peer) => (
            <li>
              <span>
                {visible(peer.name)} <code>{visible(peer.id)}</code>
                <Show when={peer.by}>{(by) => <span class="mark"> by {by()}</span>}</Show>
              </span>
              <Show when={peer.by === undefined}>
                <button type="button" onClick={() => void revoke(peer)}>
                  Do not hear
                </button>
              </Show>
            </li>
          )}
        </For>
      </ul>
      <Show
        when={code()}
        fallback={
          <button type="button" onClick={() => void pair()}>
            Let somebody in
          </button>
        }
      >
        {(code) => (
          <p role="status">
            <code>{code().code}</code> lets in whoever writes it to the bot, once, until{" "}
            {new Date(code().expiresAt).toLocaleTimeString()}.
          </p>
        )}
      </Show>
    </section>
  )
}

/** The chats on other platforms. There is no button for it where there are none. */
export const ChannelsPanel = (props: { readonly store: Store }) => {
  const [open, setOpen] = createSignal(false)
  const [channels, { refetch }] = createResource(
    async (): Promise<ReadonlyArray<ChannelInfo>> =>
      (await props.store.ask((client) => client.channels.list()))?.items ?? []
  )
  const down = () => channels()?.some(({ state }) => state === "down") === true
  const toggle = () => {
    setOpen(!open())
    void refetch()
  }
  return (
    <Show when={(channels.latest ?? []).length > 0}>
      <button class="small" aria-expanded={open()} onClick={toggle}>
        Chats{down() ? ": one is down" : ""}
      </button>
      <Show when={open()}>
        <Panel label="Chats on other platforms" onClose={() => setOpen(false)}>
          <For each={channels.latest}>
            {(channel) => <Channel channel={channel} store={props.store} onChange={() => void refetch()} />}
          </For>
        </Panel>
      </Show>
    </Show>
  )
}
