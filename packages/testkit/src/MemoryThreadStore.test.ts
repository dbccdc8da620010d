import { layerMemory } from "@rejoin/core/store/MemoryThreadStore"
import { threadStoreSuite } from "./ThreadStoreSuite.ts"

threadStoreSuite("in memory", layerMemory)
