import { layerMemory } from "@rejoin/core/MemoryThreadStore"
import { threadStoreSuite } from "./ThreadStoreSuite.ts"

threadStoreSuite("in memory", layerMemory)
