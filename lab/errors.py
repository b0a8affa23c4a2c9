"""The lab's one kind of failure that a person can act on."""


class LabError(Exception):
    """Something outside the lab's control is not as the lab needs it.

    The message names the object, what was found, what was expected and the next step.
    `python -m lab` prints it without a traceback and exits with status 1.
    """
