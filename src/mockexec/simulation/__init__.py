"""The simulated world: clock, chance, lifecycles, stores. Knows no HTTP, no vendor and no engine."""
