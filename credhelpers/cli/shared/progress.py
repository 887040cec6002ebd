"""A progress bar, for those who look."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(label: str, total: int, *, shown: bool) -> Iterator[Callable[[], object]]:
    """Show a bar on stderr if that is a terminal; yield what moves it on by one.

    Args:
        label: What is being done.
        total: How many things it is done to.
        shown: Whether a bar is wanted at all.
    """
    if not (shown and total and sys.stderr.isatty()):
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    # Drawn by `advance` only: between two steps the terminal may belong to pinentry.
    with Progress(console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task(label, total=total)
        bar.refresh()
        yield lambda: bar.update(task, advance=1, refresh=True)
