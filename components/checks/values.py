"""Checks of input values.

A check takes a value and returns what was expected of it, or None where the value is right.
Values that are outputs are not known yet; the API server judges them.
"""

import difflib
import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from functools import cache
from typing import Any

import pulumi

Check = Callable[[Any], str | None]
"""Returns what is expected of a value that is wrong, None for a value that is right."""


class Unknown:
    """What rules see in place of a value that is not known yet, or is wrong by itself.

    It is empty, equal to nothing else, and what is read of it is unknown as well.
    """

    def __call__(self, *_: object, **__: object) -> "Unknown":
        """What any of its methods returns."""
        return Unknown()

    __getattr__ = __getitem__ = __call__

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0


def known(value: object) -> bool:
    """Whether a value is known already."""
    return not isinstance(value, pulumi.Output | Awaitable | Unknown)


@dataclass(frozen=True)
class Limit:
    """A check of how long a text is, how large a number, or how many a list or mapping holds."""

    low: float | None = None
    high: float | None = None
    pattern: str = ""
    """What a text matches, a regular expression as APIs write them: found anywhere in it."""
    words: str = ""
    """What a text is that matches it, such as `a kind like 'Service'`; what a number is."""
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
            and (not self.pattern or self._matches(value))
        ):
            return None
        return self._expected(value) + self.reason

    def _matches(self, value: object) -> bool:
        return isinstance(value, str) and bool(_compiled(self.pattern).search(value))

    def _expected(self, value: object) -> str:
        if not isinstance(value, Sized):
            if self.low is not None and self.low == self.high:
                return str(self.low)
            what = self.words or ("a port" if self.high == 65535 else "an integer")
            return f"{what} {_bounds(self.low, self.high, 'from ')}".rstrip()
        unit = "character" if isinstance(value, str) else "element"
        many = _bounds(self.low or None, self.high)
        matched = self.pattern and f"a text that matches {self.pattern}"
        counted = many and f"{many} {unit}{'' if (self.high or self.low) == 1 else 's'}"
        return ", ".join(filter(None, (self.words or matched, counted)))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # Python's `$` also matches before a last line break.
    return re.compile(
        re.sub(
            r"\\.|\[(?:\\.|[^\]])*\]|\$",
            lambda found: r"\Z" if found[0] == "$" else found[0],
            pattern,
        )
    )


def _bounds(low: float | None, high: float | None, begin: str = "") -> str:
    if low is None:
        return "" if high is None else f"{'of ' if begin else ''}at most {high}"
    if high is None:
        return f"{'of ' if begin else ''}at least {low}"
    return str(high) if low == high else f"{begin}{low} to {high}"


_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_NAME = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"

dns_label = Limit(1, 63, f"^{_LABEL}$", "a DNS label: lower-case letters, digits and '-'")
"""A name of a namespace or a class: RFC 1123."""

subdomain = Limit(
    1, 253, rf"^{_LABEL}(\.{_LABEL})*$", "a DNS name: lower-case letters, digits, '-' and '.'"
)
"""A name of most objects: RFC 1123."""

_SHORT = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"

hostname = Limit(
    pattern=rf"^(?=.{{1,253}}$)(?!\d+(\.\d+){{3}}$)(\*\.)?{_SHORT}(\.{_SHORT})*$",
    words="a DNS name like 'httpbin.example.com' or '*.example.com': lower case, no port or path",
)
"""A host name of the Gateway API: no address, `*.` allowed in front."""

service_name = Limit(
    1,
    63,
    f"^(?=[a-z]){_LABEL}$",
    "a DNS label that starts with a letter: lower-case letters, digits and '-'",
)
"""A Service's name, RFC 1035, and short enough for the names made of it."""

label_value = Limit(
    None,
    63,
    "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$",
    "letters, digits, '-', '_' and '.', a letter or digit at both ends",
)
"""A value of labels."""

port = Limit(1, 65535)
"""A TCP port."""

unprivileged_port = Limit(1024, 65535)
"""A TCP port that a process without capabilities may listen on."""

seconds = Limit(1, 3600, words="seconds")
"""A time limit, an hour at most."""

path_prefix = Limit(
    pattern=r"^(?=.{1,1024}$)(?!.*(//|/\.\.?(/|$)|%2[fF]))"
    r"/([-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})*$",
    words="a path that starts with '/' and has no '//', '/./', '/../', '%2F' or '#'",
)
"""A path as the Gateway API's PathPrefix and Exact matches take it."""

request_path = Limit(pattern=r"^/[!\"$-~]*$", words="a path that starts with '/', a query allowed")
"""The path of a request, a query allowed."""

image = Limit(
    pattern=r"^(?!.*//)[a-z0-9][a-z0-9._:/-]*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$",
    words="an image reference like 'docker.io/curlimages/curl:8.16.0'",
)
"""A container image reference."""


def waypoint_name(value: object) -> str | None:
    """The name of a waypoint, after which istiod names its Service."""
    if value == "none":
        return "another name: in Istio's labels 'none' means that there is no waypoint"
    return service_name(value)


def address(value: object) -> str | None:
    """An IP address."""
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return "an IP address"
    return None


def label_key(value: object) -> str | None:
    """A key of labels or annotations, with or without a prefix."""
    if isinstance(value, str):
        prefix, slash, name = value.rpartition("/")
        right_prefix = len(prefix) < 253 and subdomain(prefix) is None
        if re.fullmatch(_LABEL_NAME, name) and (not slash or right_prefix):
            return None
    return "a key like 'app' or 'example.com/app', the name behind '/' at most 63 characters"


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


def shown(value: object) -> str:
    """A value as messages show it: what is long is counted."""
    if isinstance(value, str) and len(value) > 80:
        return f"{value[:40]!r}... ({len(value)} characters)"
    if isinstance(value, list | tuple | dict) and len(repr(value)) > 80:
        return f"{len(value)} element{'' if len(value) == 1 else 's'}"
    return repr(value)
