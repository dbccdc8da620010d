import { assert, describe, it } from "@effect/vitest"
import type { Turn } from "@rejoin/contracts/Turn"
import { type Asked, ask } from "./Asking.ts"
import { NoServer } from "./RunningServer.ts"

const turn = { id: "trn_1", status: "completed", output: "answered" } as Turn

const asked = (fails: Partial<Record<keyof Asked, number>>): Asked => {
  const left = { ...fails }
  const call =
    <A>(name: keyof Asked, value: A) =>
    async () => {
      const times = left[name] ?? 0
      left[name] = times - 1
      if (times > 0) throw new NoServer("No server works there.")
      return value
    }
  return {
    lastSeq: call("lastSeq", 0),
    send: call("send", turn),
    get: call("get", turn),
    follow: async function* () {}
  }
}

const answer = async (of: Asked) => {
  let text = ""
  for await (const piece of ask(of, "one")) text += piece
  return text
}

describe("asking, without Effect", () => {
  it("a server that was there and is being started again is waited for", async () => {
    assert.strictEqual(await answer(asked({ send: 1, get: 1 })), "answered")
  })

  it("where none was ever there nobody waits", async () => {
    const failure = await answer(asked({ lastSeq: 1 })).catch((cause: unknown) => cause)
    assert.instanceOf(failure, NoServer)
  })
})
