"""A stack: its configuration, the components that it describes, its outputs.

Only what a program of its own would write itself stands here; nothing else imports it.
"""

from .configuration import load
from .stack import expose, outputs

__all__ = ["expose", "load", "outputs"]
