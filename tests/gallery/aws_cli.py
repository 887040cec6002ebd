"""A stand-in for the AWS command-line interface where there is none: one call, by the SDK's own models.

aws SERVICE OPERATION --name-of-parameter VALUE …
"""

import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_ADMINISTRATOR = "AKIAADMINISTRATOR000"
_SCRIPT = """\
#!/bin/sh
export AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY=x AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_PAGER=
unset AWS_PROFILE
exec {command} "$@"
"""


def install_aws(directory: Path, *started_by: str) -> str:
    """Put ``aws`` into a directory, the real one where there is one, and return the administrator's key.

    It asks with the administrator's keys, as that person's own machine would.

    Args:
        directory: Where it is put.
        started_by: The command that starts it, such as one that joins a namespace.
    """
    real = shutil.which("aws")
    command = shlex.join([*started_by, *([real] if real else [sys.executable, __file__])])
    directory.mkdir(exist_ok=True)
    script = directory / "aws"
    script.write_text(_SCRIPT.format(key=_ADMINISTRATOR, command=command))
    script.chmod(0o755)
    return _ADMINISTRATOR


def main(arguments: Sequence[str]) -> None:
    """Make the call that the command line names."""
    import botocore.session

    service, operation, *options = arguments
    given = dict(zip(options[::2], options[1::2], strict=True))
    client = botocore.session.Session().create_client(service, region_name=given.pop("--region", None))
    method = operation.replace("-", "_")
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
    members = {_kebab(name): (name, shape) for name, shape in model.input_shape.members.items()}
    values = {}
    for option, value in given.items():
        name, shape = members[option]
        values[name] = _value(shape.type_name, value)
    getattr(client, method)(**values)


def _kebab(name: str) -> str:
    from botocore import xform_name

    return "--" + re.sub("_", "-", xform_name(name))


def _value(kind: str, text: str) -> Any:
    match kind:
        case "integer":
            return int(text)
        case "list":
            return [text]
        case "structure":
            return dict(pair.split("=", 1) for pair in text.split(","))
    return text


if __name__ == "__main__":
    main(sys.argv[1:])
