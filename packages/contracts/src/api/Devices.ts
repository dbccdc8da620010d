import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Device, DeviceName } from "../Device.ts"
import * as E from "../Errors.ts"
import { RuntimeMode } from "../RuntimeMode.ts"
import { AccessCode } from "./Access.ts"
import { page } from "./Shared.ts"

export class DevicesGroup extends HttpApiGroup.make("devices")
  .add(
    HttpApiEndpoint.post("pair", "/devices/codes", {
      payload: Schema.Struct({
        name: Schema.optionalKey(DeviceName),
        /** `approval-required`, unless it is said. */
        mode: Schema.optionalKey(RuntimeMode)
      }),
      success: AccessCode,
      error: E.InvalidInput
    }).annotate(OpenApi.Summary, "A code that lets a device in: good once, for ten minutes"),
    HttpApiEndpoint.get("list", "/devices", { success: page(Device) }).annotate(
      OpenApi.Summary,
      "The devices that were let in, the one that was seen last first"
    ),
    HttpApiEndpoint.get("me", "/devices/me", {
      success: Schema.Struct({ device: Schema.NullOr(Device) })
    }).annotate(OpenApi.Summary, "The device that asks; null for the owner"),
    HttpApiEndpoint.delete("revoke", "/devices/:id", {
      params: { id: Schema.String },
      success: HttpApiSchema.NoContent,
      error: [E.DeviceNotFound, E.StoreFailed]
    }).annotate(OpenApi.Summary, "Let a device in no more, at once")
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Devices",
      description: "Phones and other machines that were let in, each with a token of its own."
    })
  ) {}
