import { assert, describe, it } from "@effect/vitest"
import { addressFor } from "./Reach.ts"

const alone = { host: "127.0.0.1", port: 4319, hosts: [], tls: undefined, machine: ["192.168.1.7"] }
const tls = { names: ["localhost", "box.example.org", "10.0.0.1"], port: 4320 }

describe("G3: where a phone reaches this server", () => {
  it("by the origin that the operator lists, before all others", () => {
    const hosts = ["box", "https://box.tail1234.ts.net/"]
    assert.strictEqual(addressFor({ ...alone, hosts, tls }), "https://box.tail1234.ts.net")
  })
  it("by a name of the certificate, with its port unless that is the usual one", () => {
    assert.strictEqual(addressFor({ ...alone, tls }), "https://box.example.org:4320")
    assert.strictEqual(addressFor({ ...alone, tls: { ...tls, port: 443 } }), "https://box.example.org")
  })
  it("by a listed name and the port of TLS, where the certificate has a wildcard alone", () => {
    const wild = { names: [], port: 4320 }
    assert.strictEqual(
      addressFor({ ...alone, hosts: ["box.example.org"], tls: wild }),
      "https://box.example.org:4320"
    )
    assert.strictEqual(
      addressFor({ ...alone, tls: { ...wild, names: ["[2001:db8::1]"] } }),
      "https://[2001:db8::1]:4320"
    )
  })
  it("by a listed name behind a proxy, and by the machine's address where it listens there", () => {
    assert.strictEqual(addressFor({ ...alone, hosts: ["box.example"] }), "https://box.example")
    assert.strictEqual(addressFor({ ...alone, host: "0.0.0.0" }), "http://192.168.1.7:4319")
    assert.strictEqual(addressFor({ ...alone, host: "10.1.2.3" }), "http://10.1.2.3:4319")
  })
  it("nowhere but on this machine where it listens to no other", () => {
    assert.strictEqual(addressFor(alone), "http://127.0.0.1:4319")
  })
})
