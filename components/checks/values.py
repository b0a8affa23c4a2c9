"""Checks of input values.

A check takes a value and returns what was expected of it, or None where the value is right.
Values that are outputs are not known yet; the API server judges them.
"""

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterable, Sized
from dataclasses import dataclass
from typing import Any

Check = Callable[[Any], str | None]
"""Returns what is expected of a value that is wrong, None for a value that is right."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def dns_label(value: object) -> str | None:
    """A name of a namespace or a class: RFC 1123, at most 63 characters."""
    if isinstance(value, str) and _LABEL.fullmatch(value):
        return None
    return "a DNS label: lower-case letters, digits and '-', 1 to 63 characters"


def waypoint_name(value: object) -> str | None:
    """The name of a waypoint, after which istiod names its Service."""
    if value == "none":
        return "another name: in Istio's labels 'none' means that there is no waypoint"
    return service_name(value)


def service_name(value: object) -> str | None:
    """A Service's name: RFC 1035, at most 63 characters."""
    if dns_label(value) is None and not str(value)[0].isdigit():
        return None
    return (
        "a DNS label that starts with a letter: lower-case letters, digits and '-',"
        " 1 to 63 characters"
    )


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


def nothing(reason: str) -> Check:
    """No value at all, for this reason."""

    def check(_: object) -> str:
        return f"nothing: {reason}"

    return check


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


@dataclass(frozen=True)
class Limit:
    """A check of how long a text is, how large a number, or how many a list or mapping holds."""

    low: float | None = None
    high: float | None = None
    pattern: str = ""
    """What a text matches, a regular expression as APIs write them: found anywhere in it."""
    words: str = ""
    """What a text is that matches it, such as `a kind like 'Service'`."""
    reason: str = ""
    """Why there is a limit, where it is not the API's."""

    def __call__(self, value: object) -> str | None:
        """What is expected of a value that is wrong, None for a value that is right."""
        size = len(value) if isinstance(value, Sized) else value
        if (
            isinstance(size, int | float)
            and not isinstance(size, bool)
            and (self.low is None or size >= self.low)
            and (self.high is None or size <= self.high)
            and (not self.pattern or re.search(_whole(self.pattern), str(value)))
        ):
            return None
        return self._expected(value) + self.reason

    def _expected(self, value: object) -> str:
        if not isinstance(value, Sized):
            what = "a port" if (self.low, self.high) == (1, 65535) else "an integer"
            return f"{what} {_bounds(self.low, self.high, 'from ')}"
        unit = "character" if isinstance(value, str) else "element"
        many = _bounds(self.low or None, self.high)
        matched = self.pattern and f"a text that matches {self.pattern}"
        counted = many and f"{many} {unit}{'' if (self.high or self.low) == 1 else 's'}"
        return ", ".join(filter(None, (self.words or matched, counted)))


def _whole(pattern: str) -> str:
    """`pattern` with its `$` as elsewhere: Python's also matches before a last line break."""
    return re.sub(
        r"\\.|\[(?:\\.|[^\]])*\]|\$",
        lambda found: r"\Z" if found[0] == "$" else found[0],
        pattern,
    )


def _bounds(low: float | None, high: float | None, begin: str = "") -> str:
    if low is None:
        return "" if high is None else f"{'of ' if begin else ''}at most {high}"
    if high is None:
        return f"{'of ' if begin else ''}at least {low}"
    return str(high) if low == high else f"{begin}{low} to {high}"


def number(low: int, high: int) -> Check:
    """An integer of this range."""
    return Limit(low, high)


def shown(value: object) -> str:
    """A value as messages show it: what is long is counted."""
    if isinstance(value, str) and len(value) > 80:
        return f"{value[:40]!r}... ({len(value)} characters)"
    if isinstance(value, list | tuple | dict) and len(repr(value)) > 80:
        return f"{len(value)} element{'' if len(value) == 1 else 's'}"
    return repr(value)
