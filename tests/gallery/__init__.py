"""The failure gallery: staged failures, each of which doctor names and its remedy mends."""
