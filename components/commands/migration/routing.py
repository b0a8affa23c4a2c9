"""Where requests go, in the words of the Gateway API, whichever API said so before."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...checks.values import shown

Match = dict[str, Any]
"""A match of an HTTPRoute."""

EVERY: Match = {"path": {"type": "PathPrefix", "value": "/"}}
"""What every request matches."""

ROOT_REWRITTEN = (
    "of the path / Istio leaves out the '/' between what takes its place and the rest",
    "Have the service take the path as it is, or write a rule for each first part of it",
)
"""Why a rewrite of all paths has no equivalent, and what to do instead."""


class Loss(NamedTuple):
    """Something that is not in the stack's configuration as it was."""

    subject: str
    """Kind, namespace and name of the object."""
    field: str
    """Path of the field."""
    value: Any
    """What it says."""
    why: str
    """Why it has no equivalent, or what is different."""
    instead: str
    """What to do instead."""

    def __str__(self) -> str:
        """A line of a report."""
        return (
            f"{self.subject}: {self.field}: found {shown(self.value)}, {self.why}. {self.instead}"
        )


class Backend(NamedTuple):
    """A Service that gets requests."""

    namespace: str
    """Its namespace."""
    service: str
    """Its name."""
    port: int
    """Its port."""
    weight: int | None = None
    """Its share, beside those of others."""
    filters: tuple[Mapping[str, Any], ...] = ()
    """Changes to the requests that it gets, and to its answers."""

    @property
    def place(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.service


class Edge(NamedTuple):
    """A gateway: what serves host names in one way."""

    name: str
    """Its name, without what tells it from others of the same origin."""
    namespace: str
    """Its namespace."""
    mode: str = ""
    """Whether clients show a certificate, as a gateway's `tls.mode`; empty without HTTPS."""
    redirect: bool = True
    """Whether plaintext is redirected to HTTPS."""
    port: int = 80
    """Port of plaintext."""
    tls_port: int = 443
    """Port of HTTPS."""


@dataclass
class Rule:
    """What is done with the requests that one of the matches is for."""

    matches: list[Match]
    """Matches of an HTTPRoute, each with its path."""
    backends: list[Backend]
    """Who gets the requests, or, where they are redirected, who would."""
    filters: list[dict[str, Any]] = field(default_factory=list)
    """Filters of an HTTPRoute."""
    limits: dict[str, Any] = field(default_factory=dict)
    """`timeouts` and `retry` of an HTTPRoute's rule."""

    @property
    def redirects(self) -> bool:
        """Whether nobody gets the requests."""
        return any("requestRedirect" in filter_ for filter_ in self.filters)

    @property
    def prefix(self) -> str | None:
        """What takes the place of the prefix that is matched."""
        for filter_ in self.filters:
            if path := filter_.get("urlRewrite", {}).get("path"):
                replaced: str | None = path.get("replacePrefixMatch")
                return replaced
        return None

    def narrowed(self, match: Match, narrower: Match) -> "Rule":
        """The same for a match of fewer requests, whose paths become what they would have."""
        rule = Rule([narrower], self.backends, self.filters, self.limits)
        if self.prefix is None or match["path"] == narrower["path"]:
            return rule
        kept = narrower["path"]["value"].removeprefix(match["path"]["value"].rstrip("/"))
        whole = f"{self.prefix.rstrip('/')}{kept}"
        path: dict[str, Any] = {"type": "ReplaceFullPath", "replaceFullPath": whole}
        if narrower["path"]["type"] == "PathPrefix":
            path = {"type": "ReplacePrefixMatch", "replacePrefixMatch": whole}
        rule.filters = [
            {**one, "urlRewrite": {**one["urlRewrite"], "path": path}}
            if "path" in one.get("urlRewrite", {})
            else one
            for one in self.filters
        ]
        return rule

    def like(self, other: "Rule") -> bool:
        """Whether both do the same."""
        return (self.backends, self.filters, self.limits) == (
            other.backends,
            other.filters,
            other.limits,
        )


@dataclass
class Routing:
    """All that was found."""

    sites: dict[tuple[Edge, str], list[Rule]] = field(default_factory=dict)
    """What a gateway does with the requests for a host name."""
    certificates: dict[tuple[Edge, str], str] = field(default_factory=dict)
    """The Secret of a gateway's host name, `namespace/name`."""
    sources: dict[tuple[Edge, str], dict[str, list[str]]] = field(default_factory=dict)
    """Who may not ask a gateway for a host name: what the source of an AuthorizationPolicy says."""
    sessions: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    """The cookie by which requests of a session stay at a pod, by a Service's namespace and name,
    as the `httpCookie` of a DestinationRule."""
    inside: dict[tuple[str, str], list[Rule]] = field(default_factory=dict)
    """What is done with all requests to a Service, by its namespace and name."""
    made: set[str] = field(default_factory=set)
    """Namespaces that the stack has to make."""
    losses: list[Loss] = field(default_factory=list)
    """What is not as it was."""

    def lose(self, subject: str, where: str, value: Any, why: str, instead: str) -> None:
        """Name something that is not as it was."""
        loss = Loss(subject, where, value, why, instead)
        if loss not in self.losses:
            self.losses.append(loss)

    def add(self, edge: Edge, host: str, rules: Sequence[Rule]) -> None:
        """Add what a gateway does with requests for a host name."""
        self.sites.setdefault((edge, host), []).extend(rules)


class Services:
    """The Services that are known, for the numbers of their ports."""

    def __init__(self, objects: Sequence[Mapping[str, Any]]) -> None:
        self._ports = {
            (one["metadata"]["namespace"], one["metadata"]["name"]): one["spec"].get("ports") or []
            for one in objects
        }

    def __contains__(self, place: object) -> bool:
        """Whether a Service is known by its namespace and name."""
        return place in self._ports

    def port(self, namespace: str, service: str, wanted: int | str | None) -> int | None:
        """The number of a port by its number, its name, or as the only one; None if unknown."""
        if isinstance(wanted, int):
            return wanted
        ports = self._ports.get((namespace, service), [])
        if wanted is None:
            return int(ports[0]["port"]) if len(ports) == 1 else None
        return next((int(one["port"]) for one in ports if one.get("name") == wanted), None)

    def protocol(self, backend: Backend) -> str | None:
        """What a port speaks, by its `appProtocol` or its name; None where nothing says so."""
        for one in self._ports.get(backend.place, []):
            if int(one["port"]) == backend.port:
                said: str = one.get("appProtocol") or one.get("name", "")
                return said.rpartition("/")[2].partition("-")[0] or None
        return None


Unordered = Callable[[int, Match, Match], None]
"""Is told that rule `index` has a match before another one, which Istio will prefer to it."""


def ordered(rules: Sequence[Rule], unordered: Unordered) -> list[Rule]:
    """Rules, of which the first that matches decides, so that the most exact match does.

    Where a later match is the more exact one, the earlier rule gets what both match, more exact
    still. No request gets to what is matched by an earlier rule wholly: it is left out.
    """
    patterns = any(_type(match) == "RegularExpression" for rule in rules for match in rule.matches)
    found: list[Rule] = []
    for index, rule in reversed([*enumerate(rules)]):
        own: list[Rule] = []
        for given in rule.matches:
            match = _normal(given, patterns=patterns and rule.prefix is None)
            both = [match]
            for later in found:
                for other in [*later.matches]:
                    preferred = rank(other) >= rank(match)
                    met = meet(match, other)
                    if met == other:
                        later.matches.remove(other)
                    elif preferred and (met in ("unknown", match) or len(both) == _MOST):
                        unordered(index, match, other)
                    elif preferred and isinstance(met, dict):
                        both.append(met)
            own += [rule.narrowed(match, one) for one in both]
        found = [*_joined(own), *(later for later in found if later.matches)]
    return found


def _joined(rules: Sequence[Rule]) -> list[Rule]:
    """Rules, those that do the same as one."""
    joined: list[Rule] = []
    for rule in rules:
        same = next((one for one in joined if one.like(rule)), None)
        if same is None:
            joined.append(rule)
        else:
            same.matches += [match for match in rule.matches if match not in same.matches]
    return joined


_MOST = 64
"""Matches that a rule may have."""
_ANY = {"type": "RegularExpression", "value": "/.*"}
"""As a pattern, the path of every request: the shortest one, which Istio tries last."""


def _normal(match: Match, *, patterns: bool) -> Match:
    """A match with its conditions in the order of `meet`.

    Beside `patterns` the path `/`, which Istio would prefer to any of them, is one too.
    """
    whole = {
        **match,
        "path": _ANY if patterns and match["path"] == EVERY["path"] else match["path"],
    }
    for part in ("headers", "queryParams"):
        if part in match:
            whole[part] = sorted(match[part], key=lambda one: _name(part, one))
    return whole


def _name(part: str, condition: Mapping[str, Any]) -> str:
    """The name of a condition; those of headers have no case."""
    name: str = condition["name"]
    return name.lower() if part == "headers" else name


def _type(match: Match) -> str:
    return str(match["path"]["type"])


_RANKS = ("RegularExpression", "PathPrefix", "Exact")


def rank(match: Match) -> tuple[int, int, bool, int, int]:
    """How exact a match is, as Istio compares them."""
    return (
        _RANKS.index(_type(match)),
        len(match["path"]["value"]),
        "method" in match,
        len(match.get("headers", ())),
        len(match.get("queryParams", ())),
    )


def meet(one: Match, other: Match) -> Match | str:
    """What both match; `nothing`, or `unknown` where that cannot be told."""
    path = _meet_paths(one["path"], other["path"])
    if isinstance(path, str):
        return path
    both: Match = {"path": path}
    methods = {match["method"] for match in (one, other) if "method" in match}
    if len(methods) > 1:
        return "nothing"
    if methods:
        both["method"] = methods.pop()
    for part in ("headers", "queryParams"):
        conditions: dict[str, Any] = {}
        for condition in (*one.get(part, ()), *other.get(part, ())):
            name = _name(part, condition)
            held = conditions.setdefault(name, condition)
            if held != condition:
                met = _meet_values(held, condition)
                if isinstance(met, str):
                    return met
                conditions[name] = met
        if conditions:
            both[part] = [conditions[name] for name in sorted(conditions)]
    return both


def _meet_paths(one: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any] | str:
    every = (_ANY, EVERY["path"])
    if one == other or other in every:
        return one
    if one in every:
        return other
    match sorted(
        ((_RANKS.index(path["type"]), path["value"], path) for path in (one, other)),
        key=lambda path: path[:2],
    ):
        case [(1, prefix, _), (1 | 2, inside, path)]:
            return path if f"{inside}/".startswith(f"{prefix}/") else "nothing"
        case [(2, _, _), (2, _, _)]:
            return "nothing"
        case [(0, _, pattern), (2, _, path)]:
            return _meet_values(pattern, path)
        case _:
            return "unknown"


def _meet_values(one: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any] | str:
    """Of two conditions on one value, exact or patterns."""
    exact = [each for each in (one, other) if each.get("type", "Exact") == "Exact"]
    if len(exact) == 2:
        return one if one["value"] == other["value"] else "nothing"
    if not exact:
        return "unknown"
    (pattern,) = (each for each in (one, other) if each is not exact[0])
    try:
        return exact[0] if re.fullmatch(pattern["value"], exact[0]["value"]) else "nothing"
    except re.error:
        return "unknown"
