"""One helper for every registry: which helper keeps which credential, and other helpers as stores."""
