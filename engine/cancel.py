"""Cancelling by Ctrl+C or a termination signal, also where a library makes a fault of its own out of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def cancellable() -> Iterator[None]:
    """Let both signals cancel the body; only the main thread hears signals.

    Raises
    ------
    KeyboardInterrupt
        Whatever the body raised after a signal: DuckDB turns an interrupt into ``RuntimeError``, an extension that is
        being imported turns it into ``ImportError``, and a file that was being read would count as damaged.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []

    def cancel(number: int, _frame: FrameType | None) -> None:
        heard.append(number)
        raise KeyboardInterrupt

    # What was started to ignore one, as a job in the background is, goes on to.
    wanted = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, cancel) for number in wanted}
    try:
        yield
    except Exception as error:
        if heard:
            raise KeyboardInterrupt from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
