"""A small image, made without a daemon, and put into a registry by skopeo."""

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.e2e.registry import Login
from tests.support.tools import require


def publish(
    directory: Path,
    image: str,
    login: Login | None,
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> str:
    """Put an image into a registry without TLS, or one that the environment trusts.

    Args:
        directory: A new directory, for the image.
        image: Its name, such as ``localhost:5000/team/app:1``.
        login: Who may push; None for a registry that is open to all.
        env: The environment of skopeo.
        prefix: What starts it, such as in a namespace.

    Returns:
        The name.
    """
    directory.mkdir()
    _make(directory)
    credentials = ["--dest-creds", f"{login.username}:{login.password}"] if login else []
    done = subprocess.run(
        [
            *prefix,
            require("skopeo", "skopeo"),
            "--insecure-policy",
            "copy",
            "--format=v2s2",  # all that older versions of Docker's CLI know
            *([] if env else ["--dest-tls-verify=false"]),
            *credentials,
            f"oci:{directory}:1",
            f"docker://{image}",
        ],
        env={"PATH": "/usr/bin:/bin", "HOME": str(directory), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return image


def _make(directory: Path) -> None:
    """Write an image in OCI's layout: one layer with one file (OCI image-spec, image-layout.md)."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        content = b"hello\n"
        entry = tarfile.TarInfo("greeting.txt")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    plain = layer.getvalue()
    kind = "application/vnd.oci.image"
    layers = [_blob(directory, f"{kind}.layer.v1.tar+gzip", gzip.compress(plain, mtime=0))]
    diff = "sha256:" + hashlib.sha256(plain).hexdigest()
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff]}}
    head = _blob(directory, f"{kind}.config.v1+json", json.dumps(config).encode())
    manifest = {"schemaVersion": 2, "config": head, "layers": layers}
    entry_point = _blob(directory, f"{kind}.manifest.v1+json", json.dumps(manifest).encode())
    named = {**entry_point, "annotations": {"org.opencontainers.image.ref.name": "1"}}
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def _blob(directory: Path, kind: str, content: bytes) -> dict[str, object]:
    name = hashlib.sha256(content).hexdigest()
    (directory / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    (directory / "blobs" / "sha256" / name).write_bytes(content)
    return {"mediaType": kind, "digest": f"sha256:{name}", "size": len(content)}
