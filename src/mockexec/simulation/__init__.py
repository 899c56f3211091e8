"""The simulated world: clock, chance, lifecycles, stores. No HTTP, no vendor, no engine."""
