import { assert, describe, it } from "@effect/vitest"
import { hostsOf } from "./Hosts.ts"

describe("whose Host and Origin are this server's", () => {
  const loopback = hostsOf({ host: "127.0.0.1", port: 4319, listed: [] })
  const open = hostsOf({ host: "0.0.0.0", port: 4319, listed: [] })
  const listed = hostsOf({
    host: "0.0.0.0",
    port: 4319,
    listed: ["rejoin.local", "https://rejoin.example", "box:8080"]
  })

  it("on loopback, its own names with its own port, and no address beside", () => {
    for (const host of ["127.0.0.1:4319", "localhost:4319", "LOCALHOST:4319", "[::1]:4319"])
      assert.isTrue(loopback.isHost(host), host)
    for (const host of [
      "127.0.0.1",
      "127.0.0.1:80",
      "192.168.1.7:4319",
      "evil.example:4319",
      "",
      "a b",
      "x:y"
    ])
      assert.isFalse(loopback.isHost(host), host)
  })

  it("open to other machines, by any address of this one, and by no name that is not listed", () => {
    for (const host of ["192.168.1.7:4319", "[fe80::1]:4319", "127.0.0.1:4319"])
      assert.isTrue(open.isHost(host), host)
    for (const host of ["192.168.1.7:80", "evil.example:4319", "127.0.0.1.nip.io:4319"])
      assert.isFalse(open.isHost(host), host)
    assert.isTrue(open.isOrigin("http://192.168.1.7:4319"))
    assert.isFalse(open.isOrigin("http://192.168.1.7:4320"))
  })

  it("by the names that the operator lists, with the proxy's port or one of their own", () => {
    for (const host of ["rejoin.local", "rejoin.local:443", "rejoin.example", "box:8080"])
      assert.isTrue(listed.isHost(host), host)
    assert.isFalse(listed.isHost("box:8081"))
    for (const origin of ["https://rejoin.example", "https://rejoin.local", "http://127.0.0.1:4319"])
      assert.isTrue(listed.isOrigin(origin), origin)
    for (const origin of [
      "http://rejoin.example",
      "http://rejoin.example:8080",
      "https://rejoin.example:8443",
      "https://rejoin.example.evil",
      "ftp://rejoin.local",
      "evil://127.0.0.1:4319",
      "null",
      ""
    ])
      assert.isFalse(listed.isOrigin(origin), origin)
  })
})
