"""What a client raises where a server is the reason."""


class ServerError(RuntimeError):
    """A server has refused a request, or did not answer it; holds its message.

    Whatever a server is the reason of is one of these; a wrong argument is a ValueError.
    """


class ServerUnavailableError(ServerError, ConnectionError):
    """No server answers, or it cannot now: what may be tried again."""


class ServerTimeoutError(ServerError, TimeoutError):
    """The whole answer has not come in time."""
