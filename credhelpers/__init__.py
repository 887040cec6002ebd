"""Docker credential helpers for the password store, the OS keyring and Amazon ECR."""

__version__ = "0.1.0"
