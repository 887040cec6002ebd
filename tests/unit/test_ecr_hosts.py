"""Which hosts are Amazon ECR's: every form that AWS documents, none of thousands that only look alike."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credhelpers.servers import host_of
from credhelpers.stores.ecr.hosts import Registry, registry_at

ACCOUNT = "123456789012"
# The ECR user guide's endpoints and botocore's partitions.json: domain, dual-stack domain, regions.
PARTITIONS = (
    (
        "amazonaws.com",
        "on.aws",
        ("us-east-1", "eu-central-1", "ap-southeast-5", "il-central-1", "mx-central-1"),
    ),
    ("amazonaws.com", "on.aws", ("us-gov-west-1", "us-gov-east-1")),
    ("amazonaws.com.cn", "on.amazonwebservices.com.cn", ("cn-north-1", "cn-northwest-1")),
    ("amazonaws.eu", "on.amazonwebservices.eu", ("eusc-de-east-1",)),
    ("c2s.ic.gov", "", ("us-iso-east-1", "us-iso-west-1")),
    ("sc2s.sgov.gov", "", ("us-isob-east-1",)),
    ("cloud.adc-e.uk", "", ("eu-isoe-west-1",)),
    ("csp.hci.ic.gov", "", ("us-isof-south-1", "us-isof-east-1")),
)
_FULLWIDTH = str.maketrans("0123456789", "".join(chr(0xFF10 + digit) for digit in range(10)))
_ARABIC = str.maketrans("0123456789", "".join(chr(0x0660 + digit) for digit in range(10)))


def _genuine() -> list[tuple[str, str, bool, bool]]:
    """Every host that is meant to be known: its name, region, and whether it is FIPS and dual-stack."""
    forms = []
    for domain, dual_domain, regions in PARTITIONS:
        for region, fips in itertools.product(regions, (False, True)):
            suffix = "-fips" if fips else ""
            forms.append((f"{ACCOUNT}.dkr.ecr{suffix}.{region}.{domain}", region, fips, False))
            if dual_domain:
                forms.append((f"{ACCOUNT}.dkr-ecr{suffix}.{region}.{dual_domain}", region, fips, True))
    return forms


GENUINE = _genuine()


def _registry(server: str) -> Registry | None:
    return registry_at(host_of(server))


@pytest.mark.parametrize(("host", "region", "fips", "dual_stack"), GENUINE)
def test_every_form_of_host_has_its_region(host: str, region: str, fips: bool, dual_stack: bool) -> None:
    for server in (
        host,
        host.upper(),
        f"https://{host}",
        f"HTTPS://{host}/",
        f"//{host}/a/b",
        f"{host}:443/team/app",
    ):
        found = _registry(server)
        assert found is not None, server
        assert (found.host, found.region, found.fips, found.dual_stack, found.public) == (
            host,
            region,
            fips,
            dual_stack,
            False,
        )


@pytest.mark.parametrize("host", ["public.ecr.aws", "ecr-public.aws.com", "PUBLIC.ecr.aws"])
def test_ecr_public_is_signed_for_us_east_1(host: str) -> None:
    found = _registry(f"https://{host}/nginx/nginx")
    assert found is not None
    assert (found.host, found.region, found.public) == (host.lower(), "us-east-1", True)


def _wrapped(host: str) -> list[str]:
    """Names that have the host inside, before or after something else."""
    evil = ("evil.example", "com", "amazonaws.com", "x", "localhost", "aws", "-", "_", "1", "eu")
    around = [
        host + separator + end for separator in (".", "-", "", "@", "%2e", "\\", "#", "%00") for end in evil
    ]
    around += [start + separator + host for separator in (".", "-", "", "@", "%2e", "\\") for start in evil]
    return around


def _reached_otherwise(host: str) -> list[str]:
    """Other ports, schemes, users and spellings of the same host."""
    ports = (
        "80",
        "8443",
        "4430",
        "0443",
        "44",
        "443a",
        "",
        "443:443",
        "-443",
        "+443",
        "\uff14\uff14\uff13",
        "443@x",
        "99999",
    )
    schemes = ("http", "HTTP", "ftp", "oci", "docker", "https+x", "file", "https:", "httpss", "ws")
    users = ("AWS", "a:b", "evil.example", "evil.example:443", "")
    forms = [f"{host}:{port}" for port in ports if port]
    forms += [f"{scheme}://{host}" for scheme in schemes]
    forms += [f"{user}@{host}" for user in users]
    forms += [f"https://{user}@{host}/" for user in users]
    forms += [
        f"{host}.",
        f"{host}..",
        f".{host}",
        f" {host}",
        f"{host} ",
        f"{host}\t",
        f"{host}\u200b",
        f"\ufeff{host}",
    ]
    forms += [
        f"{host}?x",
        f"{host}#x",
        f"evil.example/{host}",
        f"evil.example?{host}",
        f"evil.example#{host}",
    ]
    forms += [f"/{host}", f"///{host}", f"[{host}]", f"{host}%", f"https://https://{host}"]
    return forms


def _misspelt(host: str) -> list[str]:
    """The host with another account, other digits, dots or letters."""
    _, _, rest = host.partition(".")
    accounts = (
        ACCOUNT[:-1],
        ACCOUNT + "3",
        "",
        "12345678901a",
        "-23456789012",
        "+23456789012",
        " 23456789012",
        "1234_6789012",
    )
    forms = [f"{account}.{rest}" for account in accounts]
    forms += [f"{ACCOUNT.translate(table)}.{rest}" for table in (_FULLWIDTH, _ARABIC)]
    forms += [f"{ACCOUNT[:-1]}\u00b2.{rest}", f"{ACCOUNT[:-1]}\u0967.{rest}", f"{ACCOUNT}.{ACCOUNT}.{rest}"]
    forms += [host.translate(table) for table in (_FULLWIDTH, _ARABIC)]
    forms += [
        host.replace(".", dot) for dot in ("\u3002", "\uff0e", "\uff61", "\u2024", "-", "..", "%2e", "_", "")
    ]
    start = rest.index(".", 4) + 1 if rest.startswith("dkr.") else rest.index(".") + 1
    region = range(len(ACCOUNT) + 1 + start, len(ACCOUNT) + 1 + rest.index(".", start))
    for position, character in enumerate(host):
        others = "\u0430\u212a\u017f\u0131_*%"
        if position not in region:  # within its name, one region's misspelling may be another's name
            others += "x-."
            forms.append(host[:position] + host[position + 1 :])
        forms += [host[:position] + other + host[position + 1 :] for other in others if other != character]
        if character == "k":
            forms.append(host[:position] + "\N{KELVIN SIGN}" + host[position + 1 :])
    return forms


def _mismatched() -> list[str]:
    """Regions in partitions that do not have them, and services that are not the registry."""
    forms = []
    for (domain, dual, _), (_, _, regions) in itertools.product(PARTITIONS, PARTITIONS):
        for region, end in itertools.product(regions, (domain, dual)):
            forms += [f"{ACCOUNT}.dkr.ecr.{region}.{end}", f"{ACCOUNT}.dkr-ecr.{region}.{end}"]
    for service in (
        "api.ecr",
        "dkr.ec2",
        "dkr",
        "ecr",
        "dkr.ecr-",
        "dkr.ecr.fips",
        "dkr-ecr-fip",
        "dkr.ecr-public",
        "dkr_ecr",
        "s3",
    ):
        forms += [f"{ACCOUNT}.{service}.eu-central-1.{end}" for end in ("amazonaws.com", "on.aws")]
    for region in (
        "",
        "-",
        "eu",
        "eu-central",
        "eu-central-",
        "eu--1",
        "-central-1",
        "eu-central-12",
        "eu-central-x",
        "*",
        "eu_central_1",
    ):
        forms += [
            f"{ACCOUNT}.dkr.ecr.{region}.{end}" for end in ("amazonaws.com", "amazonaws.com.cn", "c2s.ic.gov")
        ]
    forms += [
        "aws.com",
        "ecr.aws",
        "ecr-public.aws",
        "public.ecr.aws.com",
        "xpublic.ecr.aws",
        "a.public.ecr.aws",
        "amazonaws.com",
        "",
    ]
    return forms


def _is_of_partition_aws(host: str) -> bool:
    return (".dkr.ecr." in host and host.endswith(".amazonaws.com")) or (
        ".dkr-ecr." in host and host.endswith(".on.aws")
    )


def test_no_look_alike_is_a_registry() -> None:
    genuine = {host for host, *_ in GENUINE}
    # Any region may be one of the partition aws, whose domains are Amazon's own: new regions come every year.
    look_alikes = {form for form in _mismatched() if not _is_of_partition_aws(form)}
    for host in (*sorted(genuine), "public.ecr.aws", "ecr-public.aws.com"):
        look_alikes.update(_wrapped(host), _reached_otherwise(host))
        if host in genuine:
            look_alikes.update(_misspelt(host))
    look_alikes -= genuine

    accepted = sorted(form for form in look_alikes if _registry(form) is not None)

    assert len(look_alikes) >= 10_000
    assert accepted == []


hosts = st.sampled_from([host for host, *_ in GENUINE])


@given(hosts, st.text(min_size=1, max_size=20), st.integers(min_value=0))
def test_an_inserted_character_is_another_host(host: str, text: str, at: int) -> None:
    at %= len(host) + 1
    changed = host[:at] + text + host[at:]

    found = _registry(changed)

    # Digits and letters may make another region, a slash may end the host, a colon bring HTTPS's port.
    if found is not None:
        assert found.host in host_of(changed)
        assert found.host.endswith(
            tuple(domain for partition in PARTITIONS for domain in partition[:2] if domain)
        )
        assert found.host.isascii()


@given(st.text(max_size=100))
def test_no_text_at_all_makes_it_fail(text: str) -> None:
    found = _registry(text)

    assert found is None or found.host == host_of(text)


@given(hosts, st.text(alphabet="abc019.-", min_size=1, max_size=10))
def test_a_longer_name_is_another_host(host: str, end: str) -> None:
    assert _registry(f"{host}.{end}") is None


@pytest.mark.parametrize("form", ["https://https://{}", "//https://{}", "https://{}:", "https:///{}", "u@{}"])
def test_a_nested_scheme_or_userinfo_is_no_host(form: str) -> None:
    assert host_of(form.format(GENUINE[0][0])) == ""
