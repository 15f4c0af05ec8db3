"""Start the command line: ``python -m engine``."""

import io
import sys

from engine.cli import main

if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without the sign for minus shows another one instead of stopping.
            stream.reconfigure(errors="replace")
    sys.exit(main())
