import { assert, describe, it } from "@effect/vitest"
import { heldIn } from "./DataUrl.ts"

describe("a data: URL", () => {
  it("is told by its type and what it holds; every other address is none", () => {
    assert.deepEqual(heldIn("data:image/png;base64,AAAA"), { mediaType: "image/png", data: "AAAA" })
    assert.deepEqual(heldIn("data:image/svg+xml;charset=utf-8;base64,QQ=="), {
      mediaType: "image/svg+xml",
      data: "QQ=="
    })
    for (const other of [
      "https://a/b.png",
      "data:text/plain,hello",
      "data:image/png;base64,A",
      "data:;base64,AAAA",
      ""
    ])
      assert.isUndefined(heldIn(other), other)
  })
})
