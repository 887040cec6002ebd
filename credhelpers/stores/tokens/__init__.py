"""The token engine: short-lived tokens cached, fetched once and renewed ahead of need, for any issuer."""
