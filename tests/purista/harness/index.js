// What PURISTA's core imports by name. It belongs to its agents, of which no state store uses any.
export class ModelError extends Error {}
export class ModelCapabilityError extends ModelError {}
export class InMemoryStateStore {}
export const defineHarness = () => {
  throw new Error('the agents of PURISTA are not installed')
}
