import { assert, it } from "@effect/vitest"
import { isPlace } from "./OpenCodePlaces.ts"

it("law 3: a directory in whose place OpenCode would work in another one is refused", () => {
  for (const path of ["/a b", "/50%off", "/c++", "/what?", "/issue #12", "/$HOME", "/é", "/🚀"])
    assert.isTrue(isPlace(path), path)
  for (const path of ["/a%20b", "/a/100%25/b", "/a\\b"]) assert.isFalse(isPlace(path), path)
})
