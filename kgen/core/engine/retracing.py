"""TensorFlow's warning that a function is traced again and again, where kgen means it to be."""

import inspect
import logging

_WARNING = "triggered tf.function retracing"
_OURS = ("kgen.", "recipes.")


class NotOfOurs(logging.Filter):
    """Leaves out that warning for functions that kgen calls, or has Keras call.

    TensorFlow counts how often the same code is traced, and each model has graphs of its own: of
    the fifth model in a process it would say that its functions are made in a loop. Functions that
    others call are warned of as ever.
    """

    def filter(self, record):
        if _WARNING not in str(record.msg):
            return True
        frame = inspect.currentframe()
        own = frame.f_globals["__name__"]
        while frame is not None:
            name = frame.f_globals.get("__name__", "")
            if name.startswith(_OURS) and name != own:
                return False
            frame = frame.f_back
        return True


logging.getLogger("tensorflow").addFilter(NotOfOurs())
