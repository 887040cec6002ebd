"""The git history of a password store: one commit for each change, as pass makes it."""

import os

from credhelpers import process
from credhelpers.log import warn
from credhelpers.stores.password_store.entries import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = 10.0  # a commit may run hooks and make a signature
_LIMIT = 8 << 20
# These would make git use another repository (password-store.sh unsets the same).
_FOREIGN = ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"]
_FOREIGN += ["GIT_INDEX_FILE", "GIT_INDEX_VERSION"]


def commit(directory: str, folder: str, message: str, environ: "Mapping[str, str]") -> None:
    """Commit the changes in a folder or file of the store, if that is a git repository.

    The change itself is on disk already, so a commit that fails is only a warning.

    Args:
        directory: The password store.
        folder: The folder or file that was changed, or removed.
        message: The commit's message.
        environ: The client's environment.
    """
    try:
        start = folder if os.path.isdir(folder) else os.path.dirname(folder)
        work_tree = nearest(directory, start, ".git")
        if work_tree is None:
            return
        _Git(directory, work_tree, environ).commit(folder, message)
    except (_GitFailed, OSError) as failure:
        warn(f"the change is not in the password store's git history: {failure}")


class _GitFailed(Exception):
    """Git failed; the text says why."""


class _Git:
    def __init__(self, directory: str, work_tree: str, environ: "Mapping[str, str]") -> None:
        self._environ = {key: value for key, value in environ.items() if key not in _FOREIGN}
        self._environ["GIT_CEILING_DIRECTORIES"] = os.path.dirname(directory)
        self._work_tree = work_tree
        program = process.find(("git",), environ)
        if program is None:
            raise _GitFailed("git is not installed, or not on PATH")
        self._program = program

    def commit(self, folder: str, message: str) -> None:
        if self._output("ls-files", "--", folder) or os.path.lexists(folder):
            self._output("add", "--all", "--", folder)
        if not self._output("diff", "--cached", "--name-only", "--", folder):
            return
        signs = self._output("config", "--bool", "--default=false", "--get", "pass.signcommits") == b"true\n"
        self._output("commit", "--quiet", *(["-S"] if signs else []), "-m", message, "--", folder)

    def _output(self, *arguments: str) -> bytes:
        command = [self._program, "-C", self._work_tree, *arguments]
        try:
            outcome = process.run(command, self._environ, b"", _SECONDS, _LIMIT)
        except OSError as error:
            raise _GitFailed(f"cannot start {self._program}: {error.strerror}") from None
        if outcome.exit_status is None:
            raise _GitFailed(f"git {arguments[0]} did not end within {_SECONDS:g} s")
        if outcome.exit_status != 0:
            lines = outcome.errors.decode(errors="replace").strip().splitlines()
            raise _GitFailed(lines[-1] if lines else f"git {arguments[0]}: exit status {outcome.exit_status}")
        return outcome.output
