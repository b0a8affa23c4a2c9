"""Checks of input values.

A check takes a value and returns what was expected of it, or None where the value is right.
Values that are outputs are not known yet; the API server judges them.
"""

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterable, Sized
from typing import Any

import pulumi

Check = Callable[[Any], str | None]
"""Returns what is expected of a value that is wrong, None for a value that is right."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


class InvalidInput(pulumi.RunError):
    """Every fault found in the inputs, a line each; ends the program without a stack trace."""


class Faults:
    """Collects the faults of one set of inputs, to be reported all at once."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._lines: list[str] = []

    def __len__(self) -> int:
        """How many there are."""
        return len(self._lines)

    def add(self, path: str, message: str) -> None:
        """Record that the value at `path` is wrong."""
        self._lines.append(f"{path}: {message}")

    def check(self, path: str, value: object, check: Check) -> None:
        """Record a fault at `path` unless `value` passes `check`; outputs pass."""
        if isinstance(value, pulumi.Output):
            return
        if expected := check(value):
            self.add(path, f"found {shown(value)}, expected {expected}")

    def raise_any(self) -> None:
        """Raise InvalidInput where a fault was recorded."""
        if self._lines:
            listed = "\n".join(f"  {line}" for line in self._lines)
            raise InvalidInput(f"{self._subject}:\n{listed}")


def dns_label(value: object) -> str | None:
    """A name of a namespace or a class: RFC 1123, at most 63 characters."""
    if isinstance(value, str) and _LABEL.fullmatch(value):
        return None
    return "a DNS label: lower-case letters, digits and '-', 1 to 63 characters"


def waypoint_name(value: object) -> str | None:
    """The name of a waypoint."""
    if value == "none":
        return "another name: in Istio's labels 'none' means that there is no waypoint"
    return dns_label(value)


def service_name(value: object) -> str | None:
    """A Service's name, RFC 1035, and short enough for the names made of it."""
    if dns_label(value) is None and not str(value)[0].isdigit() and len(str(value)) <= 48:
        return None
    return "a DNS label that starts with a letter, 1 to 48 characters"


def hostname(value: object) -> str | None:
    """A host name of the Gateway API: lower case, no address, `*.` allowed in front."""
    expected = (
        "a DNS name like 'httpbin.example.com' or '*.example.com': lower case, no port or path"
    )
    if not isinstance(value, str) or not 1 <= len(value) <= 253:
        return expected
    labels = value.removeprefix("*.").split(".")
    if not all(_LABEL.fullmatch(label) for label in labels) or _is_address(value):
        return expected
    return None


def address(value: object) -> str | None:
    """An IP address."""
    return None if _is_address(str(value)) else "an IP address"


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def port(value: object) -> str | None:
    """A TCP port."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535:
        return None
    return "a port from 1 to 65535"


def unprivileged_port(value: object) -> str | None:
    """A TCP port that a process without capabilities may listen on."""
    if port(value) is None and value >= 1024:  # type: ignore[operator]  # port() saw an int
        return None
    return "a port from 1024 to 65535"


def seconds(value: object) -> str | None:
    """A time limit in seconds, an hour at most."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 3600:
        return None
    return "seconds, from 1 to 3600"


def path_prefix(value: object) -> str | None:
    """A path as the Gateway API's PathPrefix and Exact matches take it."""
    if (
        isinstance(value, str)
        and value.startswith("/")
        and len(value) <= 1024
        and not re.search(
            r"//|/\.\.?(/|$)|%2[fF]|%(?![0-9a-fA-F]{2})|#|[^-A-Za-z0-9/._~!$&'()*+,;=:@%]", value
        )
    ):
        return None
    return "a path that starts with '/' and has no '//', '/./', '/../', '%2F' or '#'"


def request_path(value: object) -> str | None:
    """The path of a request, a query allowed."""
    if isinstance(value, str) and re.fullmatch(r"/[!-~]*", value) and "#" not in value:
        return None
    return "a path that starts with '/', a query allowed"


def image(value: object) -> str | None:
    """A container image reference."""
    if (
        isinstance(value, str)
        and "//" not in value
        and re.fullmatch(
            r"[a-z0-9][a-z0-9._:/-]*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?", value
        )
    ):
        return None
    return "an image reference like 'docker.io/curlimages/curl:8.16.0'"


def labels(value: object) -> str | None:
    """Kubernetes labels, a mapping of strings."""
    if isinstance(value, dict) and all(
        label_key(key) is None and label_value(label) is None for key, label in value.items()
    ):
        return None
    return "labels, a mapping like {'istio-discovery': 'enabled'}"


def some(value: object) -> str | None:
    """A list that is not empty."""
    return None if isinstance(value, Sized) and len(value) else "at least one"


def one_of(*choices: str) -> Check:
    """One of `choices`, spelt exactly so."""

    def check(value: object) -> str | None:
        if value in choices:
            return None
        return "one of " + ", ".join(choices) + did_you_mean(value, choices)

    return check


def did_you_mean(value: object, choices: Iterable[str]) -> str:
    """`" (did you mean X?)"` where one of `choices` is close to `value`, else an empty string."""
    by_lower_case = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(str(value).lower(), by_lower_case, n=1)
    return f" (did you mean {by_lower_case[close[0]]}?)" if close else ""


def subdomain(value: object) -> str | None:
    """A name of most objects: RFC 1123, at most 253 characters."""
    if isinstance(value, str) and len(value) <= 253 and _SUBDOMAIN.fullmatch(value):
        return None
    return "a DNS name: lower-case letters, digits, '-' and '.', 1 to 253 characters"


def label_key(value: object) -> str | None:
    """A key of labels or annotations, with or without a prefix."""
    if isinstance(value, str):
        prefix, slash, name = value.rpartition("/")
        right_prefix = len(prefix) < 253 and subdomain(prefix) is None
        if _LABEL_NAME.fullmatch(name) and (not slash or right_prefix):
            return None
    return "a key like 'app' or 'example.com/app', the name behind '/' at most 63 characters"


def label_value(value: object) -> str | None:
    """A value of labels."""
    if isinstance(value, str) and _LABEL_VALUE.fullmatch(value):
        return None
    return (
        "letters, digits, '-', '_' and '.', at most 63 characters, a letter or digit at both ends"
    )


def count(low: int, high: int, reason: str = "") -> Check:
    """As many elements as this, with the reason for a limit that is not the API's."""

    def check(value: object) -> str | None:
        if isinstance(value, Sized) and low <= len(value) <= high:
            return None
        return f"{_range(low, high, 'element')}{reason}"

    return check


def length(low: int, high: int) -> Check:
    """A string of as many characters as this."""

    def check(value: object) -> str | None:
        if isinstance(value, str) and low <= len(value) <= high:
            return None
        return _range(low, high, "character")

    return check


def number(low: int, high: int) -> Check:
    """An integer of this range."""

    def check(value: object) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return None
        return f"an integer from {low} to {high}"

    return check


def matching(pattern: str, expected: str, longest: int) -> Check:
    """A string, described by `expected`, that matches `pattern` as a whole."""
    compiled = re.compile(pattern)

    def check(value: object) -> str | None:
        if isinstance(value, str) and len(value) <= longest and compiled.fullmatch(value):
            return None
        return f"{expected}, at most {longest} characters"

    return check


def _range(low: int, high: int, unit: str) -> str:
    many = f"at most {high}" if low == 0 else f"{low} to {high}"
    return f"{high if low == high else many} {unit}{'' if high == 1 else 's'}"


def shown(value: object) -> str:
    """A value as messages show it: what is long is counted."""
    if isinstance(value, str) and len(value) > 80:
        return f"{value[:40]!r}... ({len(value)} characters)"
    if isinstance(value, list | tuple | dict) and len(repr(value)) > 80:
        return f"{len(value)} element{'' if len(value) == 1 else 's'}"
    return repr(value)
