import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { ChannelInfo, ChannelPeer, PairingCode } from "../Channel.ts"
import * as E from "../Errors.ts"
import { id, page } from "./Shared.ts"

export class ChannelsGroup extends HttpApiGroup.make("channels")
  .add(
    HttpApiEndpoint.get("list", "/channels", {
      success: page(ChannelInfo),
      error: [E.StoreFailed]
    }).annotate(OpenApi.Summary, "The chat platforms that this server listens to, and how they are"),
    HttpApiEndpoint.post("pair", "/channels/:id/pairings", {
      params: id,
      success: PairingCode.pipe(HttpApiSchema.status(201)),
      error: [E.ChannelNotFound, E.StoreFailed]
    }).annotate(OpenApi.Summary, "A code that lets in whoever types it there; once, for ten minutes"),
    HttpApiEndpoint.delete("unpair", "/channels/:id/pairings", {
      params: id,
      success: HttpApiSchema.NoContent,
      error: [E.ChannelNotFound, E.StoreFailed]
    }).annotate(OpenApi.Summary, "Withdraws the codes that were not used yet"),
    HttpApiEndpoint.get("peers", "/channels/:id/peers", {
      params: id,
      success: page(ChannelPeer),
      error: [E.ChannelNotFound, E.StoreFailed]
    }).annotate(OpenApi.Summary, "Who was let in by a code"),
    HttpApiEndpoint.delete("revoke", "/channels/:id/peers/:peer", {
      params: { ...id, peer: Schema.String },
      success: HttpApiSchema.NoContent,
      error: [E.ChannelNotFound, E.PeerNotFound, E.StoreFailed]
    }).annotate(OpenApi.Summary, "Does not hear this person any more")
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Channels", description: "Chats with the agents on other platforms." })
  ) {}
