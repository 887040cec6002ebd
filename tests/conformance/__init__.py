"""One black-box suite over the credential-helper protocol, for every executable that speaks it."""
