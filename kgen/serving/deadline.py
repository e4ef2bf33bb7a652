"""The time for a whole answer, however many tries and pieces it comes in."""

import queue
import threading
import time

from kgen.serving.errors import ServerTimeoutError


class Deadline:
    """The end of the time for an answer.

    Args:
        seconds: From now on.
        address: Of the server, for the message.
    """

    def __init__(self, seconds, address):
        self.seconds, self.address = seconds, address
        self.end = time.monotonic() + seconds

    def left(self):
        """Returns the seconds that are left.

        Raises:
            ServerTimeoutError: If there are none.
        """
        left = self.end - time.monotonic()
        if left <= 0:
            raise self.passed()
        return left

    def passed(self):
        """Returns the error to raise when it has passed."""
        return ServerTimeoutError(f"No answer from {self.address} within {self.seconds} s.")

    def of(self, function):
        """Returns what a function returns, which another thread calls: it may not come to an end.

        Raises:
            ServerTimeoutError: If it takes longer.
        """
        answers = queue.SimpleQueue()

        def answer():
            try:
                answers.put((function(), None))
            except BaseException as error:  # To be raised where it was asked for.
                answers.put((None, error))

        threading.Thread(target=answer, daemon=True).start()
        try:
            found, error = answers.get(timeout=self.left())
        except queue.Empty:
            raise self.passed() from None
        if error is not None:
            raise error
        return found
