"""What the helpers keep themselves: config.toml, tokens and logs, unsafe, closed, or of another user."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.gallery.exhibit import Exhibit, gets
from tests.integration.doctor import Patient
from tests.remedies.conftest import SERVER, in_mounts, needs_root, wrapped
from tests.remedies.mending import POWERLESS
from tests.support.aws import HOST, PASSWORD, TOKEN_CALL, Aws

SETTING = "[log]\nlevel = 'debug'\n"
STRANGER = 12345
GETS = gets("pass", SERVER)


@pytest.fixture
def keeper(keeper: Patient) -> Patient:
    """A user whose password store has one credential."""
    assert keeper.helper("pass").store(SERVER, "ada", CANARY).code == 0
    return keeper


@pytest.fixture
def weak(keeper: Patient, powerless: Patient) -> Patient:
    """The same user, without root's right to read and write everything."""
    return Patient(
        powerless.bin, {**keeper.env, "PATH": f"{powerless.bin}:{keeper.env['PATH']}"}, keeper.seen
    )


def corrected(user: Patient) -> tuple[str, Callable[[], object]]:
    """Return what the user does who is told to correct config.toml."""
    return "correct the file", lambda: user.set(SETTING)


@pytest.mark.failure("config-toml.invalid-toml")
def test_config_that_is_not_toml(exhibit: Exhibit, keeper: Patient) -> None:
    keeper.set("[log\n")
    exhibit(keeper, SERVER, works=GETS, by=corrected(keeper))


@pytest.mark.failure("config-toml.unknown-key")
def test_config_with_an_unknown_key(exhibit: Exhibit, keeper: Patient) -> None:
    keeper.set("[log]\nlevl = 'debug'\n")
    exhibit(keeper, SERVER, works=GETS, by=corrected(keeper))


@pytest.mark.failure("config-toml.invalid-value")
def test_config_with_an_invalid_value(exhibit: Exhibit, keeper: Patient) -> None:
    keeper.set("[log]\nlevel = 'loud'\n")
    exhibit(keeper, SERVER, works=GETS, by=corrected(keeper))


@pytest.mark.failure("config-toml.missing-key")
def test_config_with_half_a_route(exhibit: Exhibit, keeper: Patient) -> None:
    keeper.set("[[auto.route]]\nmatch = 'registry.example'\n")
    exhibit(keeper, SERVER, works=GETS, by=corrected(keeper))


@pytest.mark.failure("config-toml.missing")
def test_config_that_is_gone(exhibit: Exhibit, keeper: Patient) -> None:
    exhibit(keeper.but(CREDHELPERS_CONFIG=str(keeper.home / "gone.toml")), SERVER, works=GETS)


@pytest.mark.failure("config-toml.not-a-file")
def test_config_is_a_directory(exhibit: Exhibit, keeper: Patient) -> None:
    path = keeper.set(SETTING)
    path.unlink()
    path.mkdir()
    exhibit(keeper, SERVER, works=GETS)


@pytest.mark.failure("config-toml.unreadable")
def test_config_closed_to_its_owner(exhibit: Exhibit, weak: Patient) -> None:
    weak.set(SETTING).chmod(0)
    exhibit(weak, SERVER, works=GETS, prefix=POWERLESS)


@pytest.mark.failure("config-toml.writable-by-others")
def test_others_can_write_the_config(exhibit: Exhibit, keeper: Patient) -> None:
    keeper.set(SETTING).chmod(0o666)
    exhibit(keeper, SERVER, works=GETS, breaks=False)


@needs_root
@pytest.mark.failure("config-toml.foreign")
def test_config_of_another_user(exhibit: Exhibit, keeper: Patient) -> None:
    os.chown(keeper.set(SETTING), STRANGER, STRANGER)
    exhibit(keeper, SERVER, works=GETS, breaks=False)


@pytest.fixture
def puller(user: Patient, aws: Aws) -> Patient:
    """A user of ECR with a directory of tokens, in order."""
    tokens(user).mkdir(parents=True, mode=0o700)
    tokens(user).parent.chmod(0o700)
    user.configure(credHelpers={HOST: "ecr-login"})
    return user.but(**aws.environment())


def tokens(user: Patient) -> Path:
    return user.home / ".ecr" / "tokens"


def cached(aws: Aws) -> Callable[[Patient], bool]:
    """Return two look-ups, of which the second takes the cached token."""
    pull = gets("ecr-login", HOST, PASSWORD)

    def works(user: Patient) -> bool:
        assert pull(user)
        before = aws.calls[TOKEN_CALL]
        return pull(user) and aws.calls[TOKEN_CALL] == before

    return works


@pytest.mark.failure("token-cache.unsafe")
def test_others_can_write_tokens(exhibit: Exhibit, puller: Patient, aws: Aws) -> None:
    tokens(puller).chmod(0o777)
    exhibit(puller, HOST, works=cached(aws))


@needs_root
@pytest.mark.failure("token-cache.unsafe")
def test_tokens_of_another_user(exhibit: Exhibit, puller: Patient, aws: Aws) -> None:
    os.chown(tokens(puller), STRANGER, STRANGER)
    exhibit(puller, HOST, works=cached(aws))


@pytest.mark.failure("token-cache.unusable")
def test_tokens_closed_to_their_owner(
    exhibit: Exhibit, puller: Patient, powerless: Patient, aws: Aws
) -> None:
    tokens(puller).chmod(0o500)
    puller = Patient(powerless.bin, {**puller.env, "PATH": f"{powerless.bin}:{puller.env['PATH']}"})
    exhibit(puller, HOST, works=cached(aws), prefix=POWERLESS)


@needs_root
@pytest.mark.failure("token-cache.unusable")
def test_tokens_on_a_read_only_disk(exhibit: Exhibit, puller: Patient, aws: Aws, tmp_path: Path) -> None:
    here = tokens(puller)
    mount = in_mounts(f"mount --bind {here} {here}; mount -o remount,bind,ro {here}")
    reader = wrapped(puller, tmp_path / "wrapped", mount)
    reader = reader.but(PATH=f"{reader.bin}:{puller.env['PATH']}")
    exhibit(reader, HOST, works=cached(aws), fill={"DIR": str(tmp_path / "state")})


@pytest.mark.failure("token-cache.off")
def test_cache_is_turned_off(exhibit: Exhibit, puller: Patient, aws: Aws) -> None:
    exhibit(puller.but(AWS_ECR_DISABLE_CACHE="1"), HOST, works=cached(aws))


@pytest.fixture
def log(keeper: Patient) -> Path:
    """The log of the user's helper, in order."""
    path = keeper.home / ".ecr" / "log" / "pass.log"
    path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    path.parent.parent.chmod(0o700)
    path.write_text("")
    path.chmod(0o600)
    keeper.set(SETTING)
    return path


def logged(log: Path) -> Callable[[Patient], bool]:
    """Return a look-up that is in the log."""

    def works(user: Patient) -> bool:
        assert GETS(user)
        return log.is_file() and SERVER in log.read_text()

    return works


@pytest.mark.failure("log.unsafe")
def test_others_can_write_logs(exhibit: Exhibit, keeper: Patient, log: Path) -> None:
    log.parent.chmod(0o777)
    exhibit(keeper, SERVER, works=logged(log))


@pytest.mark.failure("log.unusable")
def test_logs_closed_to_their_owner(exhibit: Exhibit, weak: Patient, log: Path) -> None:
    log.unlink()
    log.parent.chmod(0o500)
    exhibit(weak, SERVER, works=logged(log), prefix=POWERLESS)


@pytest.mark.failure("log.not-a-file")
def test_log_that_leads_to_nowhere(exhibit: Exhibit, keeper: Patient, log: Path) -> None:
    log.unlink()
    log.symlink_to("/dev/null")
    exhibit(keeper, SERVER, works=logged(log))


@needs_root
@pytest.mark.failure("log.foreign")
def test_log_of_another_user(exhibit: Exhibit, keeper: Patient, log: Path) -> None:
    os.chown(log, STRANGER, STRANGER)
    exhibit(keeper, SERVER, works=logged(log))


@pytest.mark.failure("log.read-only")
def test_log_that_cannot_be_written(exhibit: Exhibit, weak: Patient, log: Path) -> None:
    log.chmod(0o400)
    exhibit(weak, SERVER, works=logged(log), prefix=POWERLESS)
