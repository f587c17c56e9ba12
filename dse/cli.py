"""The command line: `dse VERB`. Exit 0 is fine, 1 means the answer is no, 2 wrong input.

130 is an interrupt, and 141 that whoever read the output went away, as `head` does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from dse.commands import (
    calibrating,
    explaining,
    looking,
    pricing,
    reporting,
    searching,
    supporting,
    validating,
    weighing,
)
from dse.errors import InputError
from dse.terminal import note, unread

app = typer.Typer(
    name="dse",
    help="Prices AI systems in microseconds, says how sure it is, and finds the best designs.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for _verbs in (
    calibrating,
    explaining,
    looking,
    pricing,
    reporting,
    searching,
    supporting,
    validating,
    weighing,
):
    app.add_typer(_verbs.app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line; every mistake is one line on stderr and exit code 2."""
    try:
        code = app(args=arguments, standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as ended:  # Rich and Typer turn a closed pipe into exit 1, our "no"
        if not isinstance(ended.__context__, BrokenPipeError):
            raise
        code = unread()
    except InputError as error:
        code = _refuse(str(error))
    except TyperException as error:
        code = _refuse(_usage(error))
    except typer.Abort:
        code = 130
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = unread()
    except OSError as error:
        code = _refuse(f"cannot read or write: {error}; give another place with --output")
    raise SystemExit(code or 0)


def _refuse(text: str) -> int:
    note("error: " + " ".join(text.split()))
    return 2


def _usage(error: TyperException) -> str:
    text: str = getattr(error, "format_message", lambda: str(error))()
    return f"{text.rstrip('.')}; 'dse --help' lists the verbs"


if __name__ == "__main__":
    main()
