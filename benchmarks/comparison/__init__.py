"""The speed comparison: what is measured, with whom, how, and how it is shown."""
