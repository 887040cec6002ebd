"""What the front in plain sh answers from: beside each token, one small file for each host.

packaging/ecr-login-front.sh tells how it is used. The front asks for it by ``CREDHELPERS_FRONT``; whoever has
no front gets no such files.
"""

import os

from credhelpers import files
from credhelpers.settings import config_paths
from credhelpers.stores.ecr.identity import PLAIN, config_files, selection
from credhelpers.stores.ecr.tokens import CLOCK_SLACK, LARGEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.stores.ecr.tokens import Token


def leave(path: str, name: str, token: "Token", environ: "Mapping[str, str]") -> None:
    """Leave a token for the front.

    The file's time says until when; it must be the time of the token's own file, for that is how the front
    knows that nobody has replaced, removed or touched that one. Copies of the times of the configuration
    files stand beside it, named by what they were, so that two processes that saw different ones do not mix.

    Args:
        path: The file to write.
        name: The name of the token's file beside it.
        token: The token, in the first half of its life.
        environ: Selects the identity that the token belongs to.
    """
    import binascii

    directory = os.path.dirname(path)
    key = selection(environ)
    until = _time_of(os.path.join(directory, name))
    if until is None or until // 10**9 != token.renew_at:
        return  # somebody has touched it
    if token.username != "AWS" or not PLAIN.issuperset(key.replace(" ", "") + token.password):
        return
    times = [_time_of(file) for file in (*config_files(environ), *config_paths(environ))]
    stamp = f"{binascii.crc32(repr(times).encode()):08x}"
    text = (
        f"front_key='{key}'\nfront_token='{name}'\nfront_stamp='{stamp}'\nfront_password='{token.password}'\n"
    )
    try:
        files.trust_directory(directory)
        if _time_of(path) == until and files.read_private(path, LARGEST) == text.encode():
            return
        for number, time in enumerate(times):
            if time is not None:
                _touch(os.path.join(directory, f"front-{stamp}.{number}"), time)
        _touch(path + ".since", (token.issued - CLOCK_SLACK) * 10**9)
        files.replace(path, text.encode())
        os.utime(path, ns=(until, until))
    except OSError:
        return  # then Python goes on answering


def _time_of(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None


def _touch(path: str, time: int) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    os.utime(path, ns=(time, time))
