"""The configuration of those who start helpers: Docker, podman and Nomad; read, and edited without loss."""
