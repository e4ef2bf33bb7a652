"""Which part a process takes in a search, as KerasTuner's environment variables have it."""

import os
import re
import socket

from kgen.core.owner import LOCK

VARIABLES = ("KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT")


def role():
    """Returns `"chief"` or `"worker"` of several processes, `"alone"` without the variables.

    Raises:
        ValueError: If some of the variables are missing, or the port is none.
    """
    if not any(name in os.environ for name in VARIABLES):
        return "alone"
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    if missing:
        raise ValueError(
            f"Expected all of the environment variables {list(VARIABLES)} for a search of several "
            f"processes, or none; {missing} not set."
        )
    tuner_id, _, port = (os.environ[name] for name in VARIABLES)
    if not port.isdecimal() or not 0 < int(port) < 2**16:
        raise ValueError(f"KERASTUNER_ORACLE_PORT must be from 1 to 65535, received {port!r}.")
    return "chief" if "chief" in tuner_id else "worker"  # KerasTuner's rule.


def lock_name():
    """Returns the name of the lock by which a search's folder has one chief, and one worker a name.

    A worker's name, of the environment, may hold what no file's name may.
    """
    if role() != "worker":
        return LOCK
    return "worker-" + re.sub(r"\W", "_", os.environ["KERASTUNER_TUNER_ID"]) + LOCK


def checked_role():
    """Returns the `role`, of a chief only where it can listen.

    Raises:
        ValueError: Also if the address is another's, such as that of a chief that still runs.
    """
    found = role()
    if found == "chief":
        _, host, port = (os.environ[name] for name in VARIABLES)
        try:
            kind = socket.SOCK_STREAM
            family, *_, address = socket.getaddrinfo(host.strip("[]"), int(port), type=kind)[0]
            with socket.socket(family, kind) as listener:
                # Also where the connections of a chief that has ended are not yet forgotten.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
        except OSError as error:
            raise ValueError(
                f"KERASTUNER_ORACLE_IP, KERASTUNER_ORACLE_PORT: the chief cannot listen at "
                f"{host}:{port}: {error.strerror}."
            ) from error
    return found
