"""Ctrl-C and SIGTERM, which wait until a training can be left."""

import contextlib
import signal
import sys
import threading

NUMBERS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Holds back the first signal that asks to stop; a second one does at once what it does.

    A signal that the process ignores, as one that a shell has put into the background or `nohup`
    has started ignores Ctrl-C, stays ignored.

    Attributes:
        held: Number of the signal that waits, or `None`.
    """

    def __init__(self):
        self.held = None
        self._handlers = {}

    @contextlib.contextmanager
    def holding(self):
        """Context in which they are held back."""
        self.held = None
        self._take()
        try:
            yield
        finally:
            self._give_back()

    def deliver(self, number):
        """Does what a signal asks for; returns where the process's own handler does.

        Raises:
            KeyboardInterrupt: For a SIGINT that nobody handles, but that another host has got.
            SystemExit: For a SIGTERM likewise, or one that the system passes over, as it does for
                the first process of a container.
        """
        self.held = None
        self._give_back()
        signal.raise_signal(number)
        if signal.getsignal(number) in (signal.SIG_IGN, signal.SIG_DFL):
            if number == signal.SIGINT:
                raise KeyboardInterrupt
            sys.exit(128 + number)  # As a shell reports it.
        self._take()  # Training goes on, and the next one is to leave a checkpoint, too.

    def _take(self):
        if threading.current_thread() is not threading.main_thread():
            return
        for number in NUMBERS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, self._hold)

    def _hold(self, number, frame):
        self.held = number
        self._give_back()  # So that a second one stops at once.

    def _give_back(self):
        while self._handlers:
            number, handler = self._handlers.popitem()
            # None stands for a handler that is not Python's, and cannot be given back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
