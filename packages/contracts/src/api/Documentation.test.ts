import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { HttpApi, OpenApi } from "effect/http-api"
import { Api } from "../Api.ts"
import { examples } from "./Examples.ts"

const strict = { onExcessProperty: "error" } as const

/** Read by one of them. */
const fits = (schemas: ReadonlyArray<Schema.Top>, value: unknown) => {
  const json = JSON.parse(JSON.stringify(value)) as unknown
  const read = schemas.map((schema) =>
    Schema.decodeUnknownResult(Schema.toCodecJson(schema) as unknown as Schema.Codec<unknown>, strict)(json)
  )
  return read.some(Result.isSuccess) ? undefined : String(read.find(Result.isFailure)?.failure)
}

describe("the API's description", () => {
  it("G3: each operation says what it promises, with an example that its own schemas read", () => {
    const named = new Set<string>()
    HttpApi.reflect(Api, {
      onGroup: () => undefined,
      onEndpoint: ({ endpoint, group, successes }) => {
        const id = `${group.identifier}.${endpoint.identifier}`
        named.add(id)
        const example = examples[id]
        assert.isDefined(example, id)
        const answered = [...successes.values()].flat()
        if (example?.response !== undefined) assert.isUndefined(fits(answered, example.response), id)
        const taken = [...endpoint.payload.values()].flatMap(({ schemas }) => schemas)
        if (example?.request !== undefined) assert.isUndefined(fits(taken, example.request), id)
      }
    })
    // None of an operation that is no more.
    assert.sameMembers(Object.keys(examples), [...named])
  })

  it("G3: what takes or answers JSON shows it, models have names, events have their type", () => {
    const { components, paths } = OpenApi.fromApi(Api)
    const bare: Array<string> = []
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        const { description, requestBody, responses, summary } = operation as {
          description?: string
          summary?: string
          requestBody?: { content: Record<string, { example?: unknown }> }
          responses: Record<string, { content?: Record<string, { example?: unknown }> }>
        }
        if (!description || !summary) bare.push(`${method} ${path}: no words`)
        const body = requestBody?.content["application/json"]
        if (body && body.example === undefined && !path.endsWith("/import"))
          bare.push(`${method} ${path}: no request`)
        for (const [status, { content }] of Object.entries(responses)) {
          const json = status.startsWith("2") ? content?.["application/json"] : undefined
          if (json && json.example === undefined) bare.push(`${method} ${path}: no response`)
        }
      }
    }
    assert.deepEqual(bare, [])
    assert.includeMembers(Object.keys(components.schemas), [
      "Thread",
      "Turn",
      "Item",
      "Receipt",
      "PendingRequest",
      "RuntimeEvent"
    ])
    assert.include(JSON.stringify(paths["/api/threads/{id}/events"]), "#/components/schemas/RuntimeEvent")
  })
})
