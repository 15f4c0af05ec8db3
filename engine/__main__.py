"""Start the command line: ``python -m engine``."""

import importlib
import io
import sys

from engine.cancel import cancellable


def _start() -> int:
    """Import the program, which takes a moment in which it can be cancelled, and run it."""
    try:
        with cancellable():
            main = importlib.import_module("engine.cli").main
    except KeyboardInterrupt:
        sys.stderr.write("Cancelled; nothing was begun.\n")
        return 130
    return int(main())


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without the sign for minus shows another one instead of stopping.
            stream.reconfigure(errors="replace")
    sys.exit(_start())
