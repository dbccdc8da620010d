import { Schema } from "effect"

const Id = Schema.NonEmptyString.check(Schema.isMaxLength(256))

/** The durable conversation as the user knows it. Never changes. */
export const ThreadId = Id.pipe(Schema.brand("ThreadId"))
export type ThreadId = typeof ThreadId.Type

export const TurnId = Id.pipe(Schema.brand("TurnId"))
export type TurnId = typeof TurnId.Type

export const ItemId = Id.pipe(Schema.brand("ItemId"))
export type ItemId = typeof ItemId.Type

/** A pending approval or a pending question. */
export const RequestId = Id.pipe(Schema.brand("RequestId"))
export type RequestId = typeof RequestId.Type

/** A standing answer to approvals. */
export const RuleId = Id.pipe(Schema.brand("RuleId"))
export type RuleId = typeof RuleId.Type

export const ReceiptId = Id.pipe(Schema.brand("ReceiptId"))
export type ReceiptId = typeof ReceiptId.Type

/** One configured copy of a driver: the routing key of everything about a provider. */
export const ProviderInstanceId = Id.pipe(Schema.brand("ProviderInstanceId"))
export type ProviderInstanceId = typeof ProviderInstanceId.Type

/** The upstream's own id of a session, as last seen. Not an identity of ours. */
export const ProviderSessionId = Id.pipe(Schema.brand("ProviderSessionId"))
export type ProviderSessionId = typeof ProviderSessionId.Type

/** Where an upstream keeps its sessions: realpath, device and inode of its data directory, and the machine. */
export const StoreId = Schema.NonEmptyString.pipe(Schema.brand("StoreId"))
export type StoreId = typeof StoreId.Type

/** The id that we gave a message before it was sent; asking for it upstream answers whether it arrived. */
export const MessageId = Id.pipe(Schema.brand("MessageId"))
export type MessageId = typeof MessageId.Type
