"""End to end: a real dockerd, docker CLI, skopeo and registries with TLS and passwords, on one machine."""
