"""Which policy denies an action to an identity, and what allows it.

Policies are told apart by AWS's words (IAM user guide, "Troubleshoot access denied error messages").
"""

import json
import re
from shlex import quote
from typing import NamedTuple

from credhelpers.credential import CredentialError


class _Policy(NamedTuple):
    """A kind of policy that denies."""

    words: str
    remedy: str
    fault: str


_POLICIES = (
    _Policy(
        "service control policy",
        "ask the organization's administrators to allow {action} in their service control policies: no "
        "policy in this account can",
        fault="scp-denied",
    ),
    _Policy(
        "resource control policy",
        "ask the organization's administrators to allow {action} in their resource control policies: no "
        "policy in this account can",
        fault="rcp-denied",
    ),
    _Policy(
        "permissions boundary",
        "as an administrator, allow {action} in the permissions boundary of this identity too",
        fault="boundary-denied",
    ),
    _Policy(
        "session policy",
        "allow {action} in the policy that is handed over when the role is assumed, or hand over none",
        fault="session-policy-denied",
    ),
    _Policy(
        "VPC endpoint policy",
        "as an administrator, allow {action} in the policy of the VPC endpoint on the way",
        fault="vpc-endpoint-denied",
    ),
    _Policy(
        "explicit deny",
        "as an administrator, remove the Deny of {action} from this identity's policies: it overrides any "
        "Allow",
        fault="explicitly-denied",
    ),
)
"""In the order in which they are looked for: an explicit deny names one of the others too."""

PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
"""The actions of one pull, of which AWS names the first that is denied."""

_DENIED = re.compile(r"User: (?P<who>\S+) is not authorized to perform: (?P<action>[\w:-]+)")
_RESOURCE = re.compile(r"on resource: (?P<resource>\S+)")


def explain_denial(text: str, message: str, operation: str) -> CredentialError:
    """Return which policy denies an action, and what allows it.

    Args:
        text: The whole cause.
        message: AWS's own words.
        operation: The operation that was asked for.
    """
    found = _DENIED.search(message)
    for policy in _POLICIES:
        if policy.words in message:
            remedy = policy.remedy.format(action=found["action"] if found else operation)
            return CredentialError(text, remedy, fault=policy.fault)
    if operation == "AssumeRole":
        text += "; the role's trust policy has to name this identity too"
        return CredentialError(text, _allow(message), fault="assume-role-denied")
    return CredentialError(text, _allow(message), fault="access-denied")


def _allow(message: str) -> str:
    """Return the least policy that allows what was denied, as a command for the one who was denied it."""
    found, resource = _DENIED.search(message), _RESOURCE.search(message)
    if found is None:
        return "allow the action to this identity in IAM"
    statement = {
        "Effect": "Allow",
        "Action": PULL if found["action"] in PULL else found["action"],
        "Resource": resource["resource"] if resource else "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
    kind, _, name = found["who"].rpartition(":")[2].partition("/")
    if name.startswith("AWSReservedSSO_"):
        return f"in IAM Identity Center, add this policy to the permission set: {policy}"
    if kind == "assumed-role":
        name = name.partition("/")[0]
        return f"as an administrator: aws iam put-role-policy --role-name {quote(name)} {_named(policy)}"
    if kind == "user":
        name = name.rpartition("/")[2]
        return f"as an administrator: aws iam put-user-policy --user-name {quote(name)} {_named(policy)}"
    return f"as an administrator, attach this policy to the identity: {policy}"


def _named(policy: str) -> str:
    return f"--policy-name credhelpers --policy-document {quote(policy)}"
