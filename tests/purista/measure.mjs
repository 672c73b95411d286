// How many sessions a second concurrent callers get and validate.
//
//   {"names": [name, …], "callers": 64, "milliseconds": 500}   {"gets": 30000, "milliseconds": 501.2}

import { performance } from 'node:perf_hooks'

// The rules that the Rust side has for the same session.
const session = (z) =>
  z.object({
    userId: z.string().min(1),
    cart: z.array(
      z.object({
        sku: z.string().min(1).max(32),
        quantity: z.number().int().min(1).max(99),
        price: z.number().int().min(0).max(10_000_000),
      }),
    ),
  })

export const measure = async (store, z, { names, callers, milliseconds }) => {
  const schema = session(z)
  const start = performance.now()
  const end = start + milliseconds
  let gets = 0
  const caller = async () => {
    while (performance.now() < end) {
      const name = names[gets++ % names.length]
      const states = await store.getState(name)
      schema.parse(states[name])
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return { gets, milliseconds: performance.now() - start }
}
