"""Why an ECR registry does not let an image be pulled, which it says in the answer to the pull.

(ECR user guide, "Troubleshooting errors with Docker commands", "Troubleshooting pull through cache issues")
"""

import json
import re
from shlex import quote
from urllib.parse import quote as quote_path

from credhelpers.cli.shared.registry import Api
from credhelpers.finding import Finding, fail, failed, ok
from credhelpers.log import one_line
from credhelpers.stores.ecr.hosts import registry_at
from credhelpers.stores.ecr.permissions import PULL, explain_denial

_REGISTRY = "registry"
_LONGEST = 400
_WHO = re.compile(r"User: arn:(?P<partition>[\w-]+):\w+::(?P<account>\d{12}):")
_WHOSE = re.compile(r"on resource: arn:[\w-]+:ecr:(?P<region>[\w-]+):(?P<account>\d{12}):")


def check_repository(api: Api, authorization: str, repository: str, tag: str) -> Finding:
    """Ask for an image as a pull does first, and return what is found.

    Args:
        api: The registry.
        authorization: The header with the token.
        repository: The image's repository.
        tag: Its tag or digest.

    Raises:
        CredentialError: The registry does not answer, or has an error of its own.
    """
    path = f"/v2/{quote_path(repository)}/manifests/{quote_path(tag)}"
    response = api.get(path, authorization)
    if response.status == 200:
        return ok(_REGISTRY, f"{repository} on {api.host} can be pulled")
    code, message = _reason(response.body)
    if response.status not in (400, 401, 403, 404) or not message:
        raise api.refusal(response.status)
    text = f"{api.host} answers to a pull of {repository}: {message}"
    if "secret" in message.lower():
        return fail(_REGISTRY, "pull-through-secret", text, _secret(api.host, repository))
    if code == "NAME_UNKNOWN":
        return fail(_REGISTRY, "repository-unknown", text, _create(api.host, repository))
    if response.status == 404:
        remedy = (
            "check the tag or digest of the image; of a pull-through cache, the identity needs "
            "ecr:BatchImportUpstreamImage"
        )
        return fail(_REGISTRY, "tag-unknown", text, remedy)
    if "is not authorized to perform" in message:
        return _denied(text, message, repository)
    raise api.refusal(response.status)


def _denied(text: str, message: str, repository: str) -> Finding:
    who, whose = _WHO.search(message), _WHOSE.search(message)
    is_foreign = who and whose and who["account"] != whose["account"]
    if who and whose and (is_foreign or "resource-based policy" in message) and "explicit" not in message:
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{who['partition']}:iam::{who['account']}:root"},
            "Action": PULL,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
        remedy = (
            f"as an administrator of account {whose['account']}, if the repository has no policy: aws ecr "
            f"set-repository-policy --region {whose['region']} --repository-name {quote(repository)} "
            f"--policy-text {quote(policy)}; or add this statement to its policy"
        )
        return fail(_REGISTRY, "repository-policy", text, remedy)
    return failed(_REGISTRY, explain_denial(text, message, "BatchGetImage"))


def _secret(host: str, repository: str) -> str:
    region, prefix = _region(host), quote(repository.partition("/")[0])
    return (
        f"as an administrator: aws secretsmanager create-secret --region {region} --name "
        "ecr-pullthroughcache/NAME --secret-string file://FILE, then aws ecr update-pull-through-cache-rule "
        f"--region {region} --ecr-repository-prefix {prefix} --credential-arn ARN"
    )


def _create(host: str, repository: str) -> str:
    return (
        "check the name of the image; of a pull-through cache, the identity needs ecr:CreateRepository; or "
        f"create it: aws ecr create-repository --region {_region(host)} --repository-name {quote(repository)}"
    )


def _region(host: str) -> str:
    registry = registry_at(host)
    return registry.region if registry else "REGION"


def _reason(body: bytes) -> tuple[str, str]:
    """Return the code and the message in a registry's answer; empty ones for another body."""
    try:
        error = json.loads(body)["errors"][0]
        code, message = error["code"], error["message"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return "", ""
    if not isinstance(code, str) or not isinstance(message, str):
        return "", ""
    return code, one_line(message[:_LONGEST])
