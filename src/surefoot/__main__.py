"""The program's entry: turns errors into plain words and an exit code."""

from __future__ import annotations

import sys

from surefoot import cli
from surefoot.errors import RefusedError, SurefootError, UsageError
from surefoot.messages import render


def main() -> None:
    """Run the command line."""
    try:
        cli.app()
    except SurefootError as error:
        message = render(error.id, error.values, found=error.found, lang=cli.spoken_language())
        sys.stderr.write(f"{error.id}: {message.reason}\n{message.advice}\n")
        sys.exit(_exit_code(error))
    except BrokenPipeError:
        sys.exit(1)


def _exit_code(error: SurefootError) -> int:
    if isinstance(error, UsageError):
        return cli.EXIT_USAGE
    return cli.EXIT_REFUSED if isinstance(error, RefusedError) else cli.EXIT_WITH_DOUBTS


if __name__ == "__main__":
    main()
