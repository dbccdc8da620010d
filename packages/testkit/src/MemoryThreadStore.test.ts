import { layerMemory } from "@rejoin/core/store/MemoryThreadStore"
import { damagedBundlesSuite } from "./DamagedBundles.ts"
import { threadStoreSuite } from "./ThreadStoreSuite.ts"

threadStoreSuite("in memory", layerMemory)
damagedBundlesSuite("in memory", layerMemory)
