// Lets another program use one of PURISTA's state stores: a JSON object a line in, one a line out.
//
//   node stores.mjs <folder that `npm ci` was run in> redis|nats <address>
//
//   {"set": name, "value": value}   {}
//   {"get": [name, …]}              {"states": {name: text, …}}  a value as JSON.stringify writes it, null for undefined
//   {"remove": name}                {}
//   {"copy": name, "to": name}      {}  writes what it has read
//   {"measure": …}                  see measure.mjs
//   what fails                      {"error": {"status": 500, "message": "…"}}
//
// Requests are answered one after the other. It ends with its standard input.

import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

import { measure } from './measure.mjs'

const [folder, kind, address] = process.argv.slice(2)

// Packages are looked up where they are installed, which is not beside this file.
const require = createRequire(join(folder, 'package.json'))
const load = (name) => import(pathToFileURL(require.resolve(name)))

const stores = {
  redis: async () => {
    const { RedisStateStore } = await load('@purista/redis-state-store')
    return new RedisStateStore({ logLevel: 'fatal', config: { url: `redis://${address}` } })
  },
  nats: async () => {
    const { NatsStateStore } = await load('@purista/nats-state-store')
    return new NatsStateStore({ logLevel: 'fatal', servers: address })
  },
}

const store = await stores[kind]()

const answer = async (request) => {
  if ('set' in request) {
    await store.setState(request.set, request.value)
    return {}
  }
  if ('get' in request) {
    const states = await store.getState(...request.get)
    const text = (name) => [name, JSON.stringify(states[name]) ?? null]
    return { states: Object.fromEntries(request.get.map(text)) }
  }
  if ('remove' in request) {
    await store.removeState(request.remove)
    return {}
  }
  if ('copy' in request) {
    const states = await store.getState(request.copy)
    await store.setState(request.to, states[request.copy])
    return {}
  }
  if ('measure' in request) {
    const { z } = await load('zod')
    return measure(store, z, request.measure)
  }
  throw new Error('a request without a known member')
}

for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(JSON.parse(line)).catch(({ errorCode, message }) => ({
    error: { status: errorCode ?? 0, message },
  }))
  process.stdout.write(`${JSON.stringify(reply)}\n`)
}
await store.destroy()
