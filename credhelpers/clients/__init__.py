"""The configuration of Docker, podman and Nomad, which start helpers: read, and edited without loss."""
