"""The program's entry: turns errors into plain words and an exit code."""

from __future__ import annotations

import os
import sys

from surefoot import cli
from surefoot.errors import RefusedError, SurefootError, UsageError
from surefoot.messages import render


def main() -> None:
    """Run the command line."""
    _one_thread_of_algebra()
    try:
        cli.app()
    except SurefootError as error:
        message = render(error.id, error.values, found=error.found, lang=cli.spoken_language())
        sys.stderr.write(f"{error.id}: {message.reason}\n{message.advice}\n")
        sys.exit(_exit_code(error))
    except BrokenPipeError:
        sys.exit(1)


def _one_thread_of_algebra() -> None:
    """Let NumPy's matrices use one thread; has to stand before NumPy is imported.

    They are small: a second thread mostly waits, and burns the core it waits on. How a sum is split among threads
    also shows in its last digit. Who sets these variables keeps them.
    """
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ.setdefault(name, "1")


def _exit_code(error: SurefootError) -> int:
    if isinstance(error, UsageError):
        return cli.EXIT_USAGE
    return cli.EXIT_REFUSED if isinstance(error, RefusedError) else cli.EXIT_WITH_DOUBTS


if __name__ == "__main__":
    main()
