import type { RejoinClient } from "@rejoin/client/Client"
import type { SessionUpdate } from "@agentclientprotocol/sdk"
import { InvalidInput } from "@rejoin/contracts/Errors"
import { Effect, Path } from "effect"
import { receiptText } from "../Text.ts"
import type { Order } from "./AcpPrompt.ts"
import { textContent } from "./AcpUpdates.ts"

/** Does what was ordered, and tells it as work: it is not the agent's word. */
export const carryOut = Effect.fnUntraced(function* (client: RejoinClient, id: string, order: Order) {
  const params = { id }
  const toolCallId = `order-${yield* Effect.sync(() => globalThis.crypto.randomUUID())}`
  const told = (title: string, text?: string): ReadonlyArray<SessionUpdate> => [
    {
      sessionUpdate: "tool_call",
      toolCallId,
      kind: "other",
      status: "completed",
      title,
      content: text === undefined ? [] : [textContent(text)]
    }
  ]
  switch (order.name) {
    case "reset":
      yield* client.sessions.reset({ params })
      return told("The next message begins anew")
    case "receipts": {
      const { items } = yield* client.threads.receipts({ params, query: { limit: 5 } })
      return told(`The last starts: ${items.length}`, items.map(receiptText).join("\n\n"))
    }
    case "fork": {
      const fork = yield* client.sessions.fork({ params, payload: {} })
      return told(`A new thread goes on from here: ${fork.id}`, `${fork.title}\n${fork.cwd}`)
    }
    case "move": {
      if (order.argument === "")
        return yield* new InvalidInput({ field: "move", message: "Say where to: /move <directory>." })
      const { cwd } = yield* client.threads.get({ params })
      const to = (yield* Path.Path).resolve(cwd, order.argument)
      const receipt = yield* client.sessions.move({ params, payload: { cwd: to } })
      return told(`The conversation is in ${receipt.cwdRequested} now`, receiptText(receipt))
    }
  }
})
