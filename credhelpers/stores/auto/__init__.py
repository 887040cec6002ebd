"""One helper for every registry: who keeps which credential, and any other helper as a store."""
