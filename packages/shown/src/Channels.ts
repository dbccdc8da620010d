import type { ChannelInfo } from "@rejoin/contracts/Channel"

const names: Readonly<Record<string, string>> = {
  discord: "Discord",
  slack: "Slack",
  telegram: "Telegram",
  whatsapp: "WhatsApp"
}

export const channelName = ({ kind }: Pick<ChannelInfo, "kind">): string => names[kind] ?? kind

const states: Readonly<Record<ChannelInfo["state"], string>> = {
  down: "down",
  starting: "starting",
  up: "up"
}

const people = (count: number) => (count === 1 ? "1 person" : `${count} people`)

/** What there is to know of a channel: how it is first, then why and what helps, then what waits. */
export const channelText = (channel: ChannelInfo, since: string = channel.since): ReadonlyArray<string> => {
  const { account, hint, id, lastError, peers, reason, state, waiting } = channel
  const waits = [
    ...(waiting.in > 0 ? [`${waiting.in} to be read`] : []),
    ...(waiting.out > 0 ? [`${waiting.out} to be sent`] : [])
  ]
  return [
    `${id}: ${channelName(channel)} is ${states[state]} since ${since}${account === undefined ? "" : `, as ${account}`}`,
    ...(reason === undefined ? [] : [reason]),
    ...(hint === undefined ? [] : [hint]),
    `${people(peers)} let in by a code`,
    ...(waits.length === 0 ? [] : [`waits: ${waits.join(", ")}`]),
    ...(lastError === undefined ? [] : [`last trouble: ${lastError}`])
  ]
}
