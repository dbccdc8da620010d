import { mutated, torn } from "@rejoin/testkit/Mutated"
import { Schema } from "effect"
import fc from "fast-check"

interface JsonSchema {
  readonly type?: "string" | "object" | "array" | "number" | "integer" | "boolean" | "null" | undefined
  readonly enum?: ReadonlyArray<unknown> | undefined
  readonly anyOf?: ReadonlyArray<JsonSchema> | undefined
  readonly minLength?: number | undefined
  readonly maxLength?: number | undefined
  readonly maxItems?: number | undefined
  readonly maxProperties?: number | undefined
  readonly items?: JsonSchema | undefined
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined
  readonly required?: ReadonlyArray<string> | undefined
  readonly additionalProperties?: JsonSchema | boolean | undefined
}

const optional = Schema.optional
const JsonSchema: Schema.Codec<JsonSchema> = Schema.suspend(() =>
  Schema.Struct({
    type: optional(
      Schema.Literals(["string", "object", "array", "number", "integer", "boolean", "null"] as const)
    ),
    enum: optional(Schema.Array(Schema.Unknown)),
    anyOf: optional(Schema.Array(JsonSchema)),
    minLength: optional(Schema.Finite),
    maxLength: optional(Schema.Finite),
    maxItems: optional(Schema.Finite),
    maxProperties: optional(Schema.Finite),
    items: optional(JsonSchema),
    properties: optional(Schema.Record(Schema.String, JsonSchema)),
    required: optional(Schema.Array(Schema.String)),
    additionalProperties: optional(Schema.Union([Schema.Boolean, JsonSchema]))
  })
)

const Operation = Schema.Struct({
  parameters: optional(
    Schema.Array(Schema.Struct({ name: Schema.String, in: Schema.String, schema: JsonSchema }))
  ),
  requestBody: optional(
    Schema.Struct({ content: Schema.Record(Schema.String, Schema.Struct({ schema: JsonSchema })) })
  ),
  responses: Schema.Record(Schema.String, Schema.Unknown)
})

/** What of an OpenAPI description requests are made from. */
export const OpenApi = Schema.Struct({
  paths: Schema.Record(Schema.String, Schema.Record(Schema.String, Operation))
})

export interface Sent {
  readonly method: string
  readonly path: string
  readonly body: string | undefined
  /** The statuses that the description has for it. */
  readonly declared: ReadonlyArray<string>
}

const oddities = ["", " ", "\u0000", "\ud800", "\u202e", "../..", "%2e%2e", "__proto__", "-", "💥".repeat(9)]

/** A text about as long as is allowed, or a little longer, mostly short; now and then one that means something. */
const textOf = ({ maxLength = 1000, minLength = 0 }: JsonSchema, real: ReadonlyArray<string>) =>
  fc.oneof(
    { weight: real.length > 0 ? 8 : 0, arbitrary: fc.constantFrom(...real, "x") },
    { weight: 4, arbitrary: fc.string({ unit: "grapheme", minLength, maxLength: Math.min(maxLength, 30) }) },
    { weight: 1, arbitrary: fc.constantFrom(...oddities) },
    { weight: 1, arbitrary: fc.constantFrom(maxLength, maxLength + 1).map((length) => "y".repeat(length)) }
  )

/** Values as a schema has them; `real` are those that mean something to the server, by the names of fields. */
const valueOf = (
  schema: JsonSchema,
  real: Readonly<Record<string, ReadonlyArray<string>>>,
  name = ""
): fc.Arbitrary<unknown> => {
  const { additionalProperties: rest, anyOf, enum: listed, properties } = schema
  if (anyOf !== undefined) return fc.oneof(...anyOf.map((one) => valueOf(one, real, name)))
  if (listed !== undefined) return fc.constantFrom(...listed)
  switch (schema.type) {
    case "string":
      return textOf(schema, real[name] ?? [])
    case "array":
      return fc.array(valueOf(schema.items ?? {}, real, name), {
        maxLength: Math.min(schema.maxItems ?? 5, 5)
      })
    case "object": {
      if (properties === undefined) {
        return fc.dictionary(
          fc.oneof(fc.constantFrom("FOO", "PATH", "LD_PRELOAD"), fc.string()),
          valueOf(typeof rest === "object" ? rest : {}, real),
          { maxKeys: 3 }
        )
      }
      const fields = Object.entries(properties).map(
        ([field, inner]) => [field, valueOf(inner, real, field)] as const
      )
      return fc.record(Object.fromEntries(fields), { requiredKeys: [...(schema.required ?? [])] })
    }
    case "boolean":
      return fc.boolean()
    case "null":
      return fc.constant(null)
    default:
      return fc.oneof(fc.integer(), fc.double(), fc.constant(-1))
  }
}

const bodyOf = (schema: JsonSchema, real: Readonly<Record<string, ReadonlyArray<string>>>) =>
  valueOf(schema, real).chain((value) => {
    const text = JSON.stringify(value) ?? ""
    return fc.oneof(
      { weight: 6, arbitrary: fc.constant(text) },
      { weight: 2, arbitrary: mutated(value).map((other) => JSON.stringify(other) ?? "") },
      { weight: 1, arbitrary: torn(text) }
    )
  })

/** A lone half of a pair cannot stand in an address. */
const encoded = (text: string) => encodeURIComponent(text.toWellFormed())

/** Requests for every operation of a description: as it says, nearly so, and not so at all. */
export const requestsOf = (
  { paths }: typeof OpenApi.Type,
  real: Readonly<Record<string, ReadonlyArray<string>>>
): fc.Arbitrary<Sent> => {
  // What brings the server to rest is asked of it last, and alone.
  const asked = Object.entries(paths).filter(([path]) => path !== "/api/runners/drain")
  const operations = asked.flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const parameters = operation.parameters ?? []
      const schema = operation.requestBody?.content["application/json"]?.schema
      return fc
        .tuple(
          fc.tuple(
            ...parameters.map(({ name, schema }) =>
              fc.option(textOf(schema, real[name] ?? []), { nil: undefined, freq: 8 })
            )
          ),
          schema === undefined ? fc.constant(undefined) : bodyOf(schema, real)
        )
        .map(([values, body]): Sent => {
          let filled = path
          const query: Array<string> = []
          for (const [i, { in: place, name }] of parameters.entries()) {
            const value = values[i]
            // What a client itself resolves never arrives.
            if (place === "path")
              filled = filled.replace(`{${name}}`, encoded(value || "thr_none").replace(/^\.+$/, "x"))
            else if (value !== undefined) query.push(`${name}=${encoded(value)}`)
          }
          return {
            method: method.toUpperCase(),
            path: query.length === 0 ? filled : `${filled}?${query.join("&")}`,
            body,
            declared: Object.keys(operation.responses)
          }
        })
    })
  )
  return fc.oneof(...operations)
}
