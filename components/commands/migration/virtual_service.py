"""What VirtualServices do with requests.

https://istio.io/latest/docs/reference/config/networking/virtual-service/
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import groupby
from typing import Any

from .istio_gateway import edge_of, served
from .routing import EVERY, ROOT_REWRITTEN, Backend, Match, Routing, Rule, Services, ordered

_CODES = (301, 302, 303, 307, 308)
_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}

_RETRIED = {"5xx": range(500, 505), "gateway-error": range(502, 505), "retriable-4xx": (409,)}
"""Conditions of a retry that stand for statuses."""
_RETRIED_ANYWAY = {"connect-failure", "refused-stream", "unavailable", "cancelled"}
"""Conditions for which Istio tries again unless it is told otherwise."""

_NO_EQUIVALENT: Mapping[str, tuple[str, str]] = {
    "fault": (
        "routes make no faults",
        "Make them in the service, or by an EnvoyFilter for its waypoint",
    ),
    "directResponse": (
        "routes do not answer themselves: what is behind it gets its requests",
        "Have a service answer",
    ),
    "delegate": (
        "a route has all of its rules itself: what is behind it gets its requests",
        "Write the rules of that VirtualService in the place of this one, and run this again",
    ),
}
"""Fields of a route without an equivalent: why, and what to do instead."""

_MATCHED_ELSEWHERE: Mapping[str, tuple[str, str]] = {
    "sourceLabels": ("routes do not ask who sends a request", "Write policies of the exposure"),
    "sourceNamespace": ("routes do not ask who sends a request", "Write policies of the exposure"),
    "withoutHeaders": (
        "routes match what is there",
        "Write a rule for requests that have the header, before this one",
    ),
    "ignoreUriCase": (
        "paths tell the cases of letters apart",
        "Write a path of type RegularExpression that begins with (?i)",
    ),
    "scheme": ("a listener has one scheme", "Write a gateway with HTTPS, or one without"),
    "port": (
        "a route is for all ports of its gateway or Service",
        "Leave it out, and run this again",
    ),
}
"""Fields of a match without an equivalent."""

_UNKNOWN = ("nothing here is like it", "See what it is for, and write it as rules")
_MATCHED = {
    "authority",
    "gateways",
    "headers",
    "method",
    "name",
    "queryParams",
    "statPrefix",
    "uri",
}
_TRANSLATED = {
    "corsPolicy",
    "headers",
    "match",
    "mirror",
    "mirrorPercent",
    "mirrorPercentage",
    "mirrors",
    "name",
    "redirect",
    "retries",
    "rewrite",
    "route",
    "timeout",
}
"""Fields of a match, and of a route, that are translated, or of which no answer depends."""


class _Unlike(Exception):  # noqa: N818  (nothing went wrong)
    """What has no equivalent: field, value, why, what to do instead."""


def translate(
    objects: Mapping[str, Sequence[Mapping[str, Any]]],
    services: Services,
    everywhere: Sequence[str],
    routing: Routing,
) -> None:
    """Add what VirtualServices do; those of all host names are for the names `everywhere`."""
    subsets = {
        (_service(rule["spec"]["host"], rule["metadata"]["namespace"]), subset["name"]): subset
        for rule in objects.get("DestinationRule", ())
        for subset in rule["spec"].get("subsets") or []
    }
    gateways = {
        f"{one['metadata']['namespace']}/{one['metadata']['name']}": one
        for one in objects.get("Gateway", ())
    }
    read = _Read(gateways, subsets, services, everywhere, routing)
    for one in objects.get("VirtualService", ()):
        _VirtualService(one, read).add()


@dataclass(frozen=True)
class _Read:
    """What VirtualServices refer to, and what they are added to."""

    gateways: Mapping[str, Mapping[str, Any]]
    """Gateways by namespace and name."""
    subsets: Mapping[tuple[tuple[str, str] | None, str], Mapping[str, Any]]
    """Subsets by their Service and name."""
    services: Services
    everywhere: Sequence[str]
    routing: Routing


class _VirtualService:
    def __init__(self, virtual_service: Mapping[str, Any], read: _Read) -> None:
        metadata = virtual_service["metadata"]
        self._namespace: str = metadata["namespace"]
        subject = f"VirtualService {self._namespace}/{metadata['name']}"
        self._spec: Mapping[str, Any] = virtual_service["spec"]
        self._of, self._lose = read, partial(read.routing.lose, subject)

    def add(self) -> None:
        """Add what it does."""
        self._lose_others()
        hosts = [str(host) for host in self._spec.get("hosts") or []]
        if not hosts:
            self._lose(
                "spec.hosts",
                None,
                "its routes are those that other VirtualServices delegate to it",
                "Write them there, and run this again",
            )
        if not self._spec.get("http"):
            return
        named: Sequence[str] = self._spec.get("gateways") or ["mesh"]
        edges = [self._qualified(name) for name in named if name != "mesh"]
        own = {host: place for host in hosts if (place := self._known(host))}
        inside = [*dict.fromkeys(own.values())] if "mesh" in named else []
        public = [host for host in hosts if host not in own or not inside]
        if edges and public and len(inside) == 1 and self._is_one():
            # The waypoint does to all requests what gateway and sidecars did each.
            rules = self._rules("mesh")
            if (backend := self._itself(inside[0], rules)) is not None:
                for edge in edges:
                    self._at(edge, public, [Rule([EVERY], [backend])])
                self._inside(inside[0], rules)
                return
        for host in () if edges else public:
            self._lose(
                "spec.hosts",
                host,
                "it is no Service of the cluster, and a waypoint routes only their requests",
                "Make a ServiceEntry for it with a waypoint, and an HTTPRoute, by hand",
            )
        for place in inside:
            self._inside(place, self._rules("mesh"))
        for edge in edges:
            self._at(edge, public, self._rules(edge))

    def _lose_others(self) -> None:
        """Name what is not for HTTP, or for all."""
        for kind in ("tls", "tcp"):
            for index, route in enumerate(self._spec.get(kind) or []):
                self._lose(
                    f"spec.{kind}[{index}]",
                    route.get("match") or route.get("route"),
                    "an exposure is for HTTP",
                    f"Make a {kind.upper()}Route by hand",
                )
        if (spaces := self._spec.get("exportTo")) and "*" not in spaces:
            self._lose(
                "spec.exportTo",
                spaces,
                "the routes of an exposure are for all who send to its gateway or Service",
                "Write policies of the exposure",
            )

    def _qualified(self, gateway: str) -> str:
        """A gateway with its namespace."""
        alone = "/" not in gateway and gateway != "mesh"
        return f"{self._namespace}/{gateway}" if alone else gateway

    def _is_one(self) -> bool:
        """Whether all gateways and the mesh do the same."""
        return not any(
            "gateways" in match for http in self._spec["http"] for match in http.get("match") or []
        )

    def _known(self, host: str) -> tuple[str, str] | None:
        """The Service that a host is, if it is written as one."""
        place = _service(host, self._namespace)
        written = ".svc" in host or ("." not in host and host != "*")
        return place if written or place in self._of.services else None

    def _itself(self, place: tuple[str, str], rules: Sequence[Rule]) -> Backend | None:
        """A Service as the rules for it name it."""
        named = (backend for rule in rules for backend in rule.backends if backend.place == place)
        if found := next(named, None):
            return Backend(*place, found.port)
        port = self._of.services.port(*place, None)
        return None if port is None else Backend(*place, port)

    def _inside(self, place: tuple[str, str], rules: Sequence[Rule]) -> None:
        self._of.routing.inside.setdefault(place, []).extend(rules)

    def _at(self, gateway: str, hosts: Sequence[str], rules: Sequence[Rule]) -> None:
        """Add rules for the host names at a gateway."""
        found = self._of.gateways.get(gateway)
        if found is None:
            namespace, _, name = gateway.partition("/")
            self._lose(
                "spec.gateways",
                gateway,
                "this Gateway is not among the manifests: its ports and certificates are not known",
                f"Give its manifest, too, or complete gateways.{name}",
            )
            server = {"port": {"number": 80, "protocol": "HTTP"}, "hosts": ["*"]}
            metadata = {"namespace": namespace, "name": name}
            found = {"metadata": metadata, "spec": {"servers": [server]}}
        for host in self._hosts(found, hosts):
            if edge := edge_of(found, host, self._of.routing):
                self._of.routing.add(edge, host, rules)

    def _hosts(self, gateway: Mapping[str, Any], hosts: Sequence[str]) -> Iterator[str]:
        """The host names that both a gateway and its routes are for."""
        for host in served(gateway, hosts):
            if host != "*":
                yield host
            elif self._of.everywhere:
                yield from self._of.everywhere
            else:
                self._lose(
                    "spec.hosts",
                    host,
                    "a gateway serves host names that are known",
                    "Run this again with --hostname for each",
                )

    # Routes

    def _rules(self, gateway: str) -> list[Rule]:
        """What it does with the requests of a gateway, or of the mesh."""
        found: list[tuple[int, Rule]] = []
        for index, http in enumerate(self._spec["http"]):
            where = f"spec.http[{index}]"
            listed = http.get("match") or [{}]
            matches = [
                match
                for number, one in enumerate(listed)
                if self._is_at(gateway, one)
                for match in self._match(f"{where}.match[{number}]", one)
            ]
            made = (self._rule(where, http, alike) for alike in _alike(http, matches))
            found += [(index, rule) for rule in made if rule]

        def unordered(number: int, match: Match, other: Match) -> None:
            self._lose(
                f"spec.http[{found[number][0]}].match",
                match["path"]["value"],
                f"it stands before {other['path']['value']}, which Istio prefers as the more exact"
                " path",
                "Write the later one as RegularExpression, too, or make them exclude each other",
            )

        return ordered([rule for _, rule in found], unordered)

    def _is_at(self, gateway: str, match: Mapping[str, Any]) -> bool:
        return gateway in map(self._qualified, match.get("gateways") or [gateway])

    def _match(self, where: str, given: Mapping[str, Any]) -> Iterator[Match]:
        """The matches that one stands for; none where it has no equivalent."""
        for key in sorted(given.keys() - _MATCHED):
            if given[key]:
                self._lose(f"{where}.{key}", given[key], *_MATCHED_ELSEWHERE.get(key, _UNKNOWN))
                return
        match: Match = {"path": self._path(f"{where}.uri", given.get("uri") or {})}
        headers = {**(given.get("headers") or {})}
        if "authority" in given:
            headers["Host"] = given["authority"]
        if conditions := [_condition(name, value) for name, value in headers.items()]:
            match["headers"] = conditions
        parameters = given.get("queryParams") or {}
        if conditions := [_condition(name, value) for name, value in parameters.items()]:
            match["queryParams"] = conditions
        method = given.get("method") or {}
        asked = next(iter(method.values()), "")
        methods = asked.strip("()^$").split("|") if "regex" in method else [asked]
        if not method:
            yield match
        elif {*methods} <= _METHODS and "prefix" not in method:
            yield from ({**match, "method": one} for one in methods)
        else:
            self._lose(f"{where}.method", asked, "a match has one method", "Write a match for each")

    def _path(self, where: str, uri: Mapping[str, str]) -> dict[str, str]:
        if "exact" in uri:
            return {"type": "Exact", "value": uri["exact"]}
        if "regex" in uri:
            return {"type": "RegularExpression", "value": uri["regex"]}
        prefix = uri.get("prefix", "/")
        if prefix != "/":
            bare = prefix.rstrip("/")
            what = f"not {prefix}x any longer" if bare == prefix else f"{bare} as well"
            self._lose(
                where,
                prefix,
                f"a prefix ends at a '/': it matches {what}",
                "See that it makes no difference",
            )
        return {"type": "PathPrefix", "value": prefix.rstrip("/") or "/"}

    def _rule(self, where: str, http: Mapping[str, Any], matches: list[Match]) -> Rule | None:
        """What a route does; nothing where it does what has no equivalent."""
        for key in sorted(http.keys() - _TRANSLATED):
            self._lose(f"{where}.{key}", http[key], *_NO_EQUIVALENT.get(key, _UNKNOWN))
        if "directResponse" in http or "delegate" in http:
            return None
        backends = [*self._backends(f"{where}.route", http.get("route") or [])]
        rule = Rule(matches, backends, _changes(http))
        for part in (self._redirect, self._rewrite, self._mirrors, self._cors):
            try:
                rule.filters += part(where, http, rule)
            except _Unlike as unlike:
                field, *rest = unlike.args
                self._lose(f"{where}.{field}", *rest)
                if field.startswith("redirect"):
                    return None
        if not rule.redirects:
            rule.limits = self._limits(where, http)
        return rule if rule.redirects or backends else None

    def _only(self, where: str, given: Mapping[str, Any], *known: str) -> None:
        """Name the fields that are none of the known ones."""
        for key in sorted(given.keys() - {*known}):
            self._lose(f"{where}.{key}", given[key], *_UNKNOWN)

    def _backends(self, where: str, routes: Sequence[Mapping[str, Any]]) -> Iterator[Backend]:
        for index, route in enumerate(routes):
            self._only(f"{where}[{index}]", route, "destination", "headers", "weight")
            backend = self._backend(f"{where}[{index}].destination", route["destination"])
            if backend is None:
                continue
            weight = route.get("weight", 0) if len(routes) > 1 else None
            yield backend._replace(weight=weight, filters=tuple(_changes(route)))

    def _backend(self, where: str, destination: Mapping[str, Any]) -> Backend | None:
        host = destination["host"]
        place = _service(host, self._namespace)
        if place is None:
            self._lose(
                f"{where}.host",
                host,
                "an exposure has a Service of the cluster",
                "Make a Service of type ExternalName or a ServiceEntry, and a backendRef by hand",
            )
            return None
        port = self._of.services.port(*place, (destination.get("port") or {}).get("number"))
        if port is None:
            self._lose(
                f"{where}.port",
                None,
                f"Service {'/'.join(place)} is not known, nor which port is meant",
                "Give the Service's manifest, too, or write the number",
            )
            return None
        if subset := destination.get("subset"):
            labels = self._of.subsets.get((place, subset), {}).get("labels")
            selected = f"with selector {labels}" if labels else "that selects its pods"
            name = f"{place[1]}-{subset}"
            self._lose(
                f"{where}.subset",
                subset,
                "a version of a service is a Service of its own",
                f"Make Service {place[0]}/{name} {selected}",
            )
            return Backend(place[0], name, port)
        return Backend(*place, port)

    def _redirect(self, where: str, http: Mapping[str, Any], _: Rule) -> list[dict[str, Any]]:
        given = http.get("redirect")
        if not given:
            return []
        known = ("authority", "port", "redirectCode", "scheme", "uri")
        self._only(f"{where}.redirect", given, *known)
        status = given.get("redirectCode", 301)
        if status not in _CODES:
            why = f"a redirect has one of the statuses {', '.join(map(str, _CODES))}"
            raise _Unlike("redirect.redirectCode", status, why, "Choose one of them")
        target: dict[str, Any] = {"statusCode": status}
        if "scheme" in given:
            target["scheme"] = given["scheme"]
        if "authority" in given:
            host, _, port = given["authority"].partition(":")
            target |= {"hostname": host, **({"port": int(port)} if port else {})}
        if "port" in given:
            target["port"] = given["port"]
        if "uri" in given:
            target["path"] = {"type": "ReplaceFullPath", "replaceFullPath": given["uri"]}
        return [{"type": "RequestRedirect", "requestRedirect": target}]

    def _rewrite(self, where: str, http: Mapping[str, Any], rule: Rule) -> list[dict[str, Any]]:
        given = http.get("rewrite") or {}
        rewrite: dict[str, Any] = {}
        self._only(f"{where}.rewrite", given, "authority", "uri", "uriRegexRewrite")
        if "authority" in given:
            rewrite["hostname"] = given["authority"]
        if "uriRegexRewrite" in given:
            raise _Unlike(
                "rewrite.uriRegexRewrite",
                given["uriRegexRewrite"],
                "a rewritten path keeps either nothing or all that follows a prefix",
                "Have the service take the path as it is, or write a rule for each path",
            )
        if uri := given.get("uri"):
            whole = {"type": "ReplaceFullPath", "replaceFullPath": uri}
            prefix = {"type": "ReplacePrefixMatch", "replacePrefixMatch": uri.rstrip("/") or "/"}
            if whole_prefix := _is_prefix(rule.matches[0]):
                roots = [match["path"] for match in rule.matches if match["path"] == EVERY["path"]]
                if roots and prefix["replacePrefixMatch"] != "/":
                    raise _Unlike("rewrite.uri", uri, *ROOT_REWRITTEN)
            rewrite["path"] = prefix if whole_prefix else whole
        return [{"type": "URLRewrite", "urlRewrite": rewrite}] if rewrite else []

    def _mirrors(self, where: str, http: Mapping[str, Any], _: Rule) -> list[dict[str, Any]]:
        share = (http.get("mirrorPercentage") or {}).get("value", http.get("mirrorPercent", 100))
        given = [
            ("mirrors", one["destination"], (one.get("percentage") or {}).get("value", 100))
            for one in http.get("mirrors") or []
        ]
        if "mirror" in http:
            given.append(("mirror", http["mirror"], share))
        return [
            {"type": "RequestMirror", "requestMirror": {**_reference(backend), **_share(percent)}}
            for field, destination, percent in given
            if (backend := self._backend(f"{where}.{field}", destination))
        ]

    def _cors(self, where: str, http: Mapping[str, Any], _: Rule) -> list[dict[str, Any]]:
        given = http.get("corsPolicy")
        if not given:
            return []
        origins = [*(given.get("allowOrigin") or [])]
        for index, origin in enumerate(given.get("allowOrigins") or []):
            if "exact" not in origin:
                raise _Unlike(
                    f"corsPolicy.allowOrigins[{index}]",
                    origin,
                    "an origin is a whole one, or has a wildcard in the place of its first label",
                    "Write it so, such as https://*.example.com, as a filter CORS of the rule",
                )
            origins.append(origin["exact"])
        lists = ("allowMethods", "allowHeaders", "exposeHeaders", "allowCredentials")
        known = ("allowOrigin", "allowOrigins", "maxAge", *lists)
        self._only(f"{where}.corsPolicy", given, *known)
        if not origins:
            return []  # none is allowed without it, either
        cors: dict[str, Any] = {"allowOrigins": origins}
        for key in lists:
            if given.get(key):
                cors[key] = given[key]
        if "maxAge" in given:
            cors["maxAge"] = int(_milliseconds(given["maxAge"]) // 1000)
        return [{"type": "CORS", "cors": cors}]

    def _limits(self, where: str, http: Mapping[str, Any]) -> dict[str, Any]:
        limits: dict[str, Any] = {}
        timeouts: dict[str, str] = {}
        if "timeout" in http:
            timeouts["request"] = _duration(http["timeout"])
        if retries := http.get("retries"):
            if "perTryTimeout" in retries:
                timeouts["backendRequest"] = _duration(retries["perTryTimeout"])
            limits["retry"] = self._retry(f"{where}.retries", retries)
        if timeouts:
            limits["timeouts"] = timeouts
        return limits

    def _retry(self, where: str, retries: Mapping[str, Any]) -> dict[str, Any]:
        self._only(where, retries, "attempts", "backoff", "perTryTimeout", "retryOn")
        retry: dict[str, Any] = {"attempts": retries.get("attempts", 0)}
        codes: dict[int, None] = {}
        for name in (part.strip() for part in str(retries.get("retryOn", "")).split(",")):
            if name.isdigit() or name in _RETRIED:
                codes |= dict.fromkeys(_RETRIED.get(name) or [int(name)])
            elif name and name not in _RETRIED_ANYWAY:
                why = "a retry is for statuses, and for connections that fail"
                self._lose(f"{where}.retryOn", name, why, "Leave it out")
        if codes:
            retry["codes"] = [*codes]
        if "backoff" in retries:
            retry["backoff"] = _duration(retries["backoff"])
        return retry


def _alike(http: Mapping[str, Any], matches: list[Match]) -> list[list[Match]]:
    """The matches of a route, apart where their paths are rewritten as a whole or as a prefix."""
    if not (http.get("rewrite") or {}).get("uri"):
        return [matches] if matches else []
    return [[*alike] for _, alike in groupby(matches, _is_prefix)]


def _is_prefix(match: Match) -> bool:
    return bool(match["path"]["type"] == "PathPrefix")


def _changes(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The filters that change headers."""
    filters: list[dict[str, Any]] = []
    for side, modifier in (("request", "Request"), ("response", "Response")):
        changes = (given.get("headers") or {}).get(side) or {}
        changed: dict[str, Any] = {
            done: [{"name": name, "value": value} for name, value in changes[done].items()]
            for done in ("set", "add")
            if changes.get(done)
        }
        if changes.get("remove"):
            changed["remove"] = changes["remove"]
        if changed:
            name = f"{modifier}HeaderModifier"
            filters.append({"type": name, f"{name[0].lower()}{name[1:]}": changed})
    return filters


def _reference(backend: Backend) -> dict[str, Any]:
    return {
        "backendRef": {
            "name": backend.service,
            "namespace": backend.namespace,
            "port": backend.port,
        }
    }


def _share(percent: float) -> dict[str, Any]:
    """How many requests are mirrored."""
    if percent == 100:
        return {}
    if percent == int(percent):
        return {"percent": int(percent)}
    share = Fraction(str(percent)) / 100
    return {"fraction": {"numerator": share.numerator, "denominator": share.denominator}}


def _condition(name: str, value: Mapping[str, str]) -> dict[str, str]:
    """A condition on a header or parameter."""
    if "exact" in value:
        return {"name": name, "value": value["exact"]}
    pattern = value.get("regex", f"{re.escape(value.get('prefix', ''))}.*")
    return {"type": "RegularExpression", "name": name, "value": pattern}


def _service(host: str, namespace: str) -> tuple[str, str] | None:
    """Namespace and name of the Service that a host is; None where it is none of the cluster."""
    name, *rest = host.split(".")
    if not rest:
        return namespace, name
    return (rest[0], name) if len(rest) == 1 or rest[1] == "svc" else None


_UNITS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


def _milliseconds(duration: str) -> float:
    """A duration as Go writes it."""
    parts = re.findall(r"([0-9.]+)(ms|h|m|s)", duration)
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _duration(given: str) -> str:
    """A duration as the Gateway API has it, of whole numbers."""
    whole = round(_milliseconds(given))
    for unit in ("h", "m", "s"):
        if whole and whole % _UNITS[unit] == 0:
            return f"{whole // _UNITS[unit]}{unit}"
    return f"{whole}ms" if whole else "0s"
