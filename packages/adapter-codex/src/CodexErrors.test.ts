import { assert, describe, it } from "@effect/vitest"
import { refusalIn } from "./CodexErrors.ts"

describe("what the model's API refused, as Codex tells it", () => {
  it("by its names, by a status, or by the API's own answer", () => {
    const told = (codexErrorInfo: unknown, message = "no") => refusalIn({ codexErrorInfo, message })
    assert.strictEqual(told("unauthorized"), "account")
    assert.strictEqual(told("badRequest"), "request")
    assert.strictEqual(told({ httpConnectionFailed: { httpStatusCode: 403 } }), "account")
    const answer = JSON.stringify({ error: { type: "invalid_request_error", message: "a scripted refusal" } })
    assert.strictEqual(told("other", answer), "request")
  })

  it("is none where it can pass, or is not told", () => {
    for (const info of ["internalServerError", "other", null, undefined, 7, { a: { httpStatusCode: 503 } }]) {
      assert.isUndefined(refusalIn({ codexErrorInfo: info, message: "{not json" }), JSON.stringify(info))
    }
    assert.isUndefined(
      refusalIn({ codexErrorInfo: { responseStreamDisconnected: { httpStatusCode: null } }, message: "" })
    )
  })
})
