"""The configuration of a stack that does with requests what was found."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from .routing import EVERY, Backend, Edge, Match, Routing, Rule

_Place = tuple[str, str]
"""Namespace and name of a Service."""


def assemble(routing: Routing) -> dict[str, Any]:
    """The configuration, as a stack file has it.

    Each Service that a gateway sends requests to is an exposure. What was a gateway's part is done
    by the gateway, and the waypoint lets all requests through, unless the mesh had rules for the
    Service.
    """
    return _Assembly(routing).config()


class _Assembly:
    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._names = _edge_names([edge for edge, _ in routing.sites])
        self._home: dict[_Place, Edge] = {}
        self._ports: dict[_Place, int] = {}
        for (edge, _), rules in routing.sites.items():
            for rule in rules:
                for backend in rule.backends[:1]:
                    if self._home.setdefault(backend.place, edge) == edge:
                        self._ports.setdefault(backend.place, backend.port)
        self._parts: dict[_Place, dict[str, list[Rule]]] = {}
        for (edge, host), rules in routing.sites.items():
            self._share(edge, host, rules)
        for place in [*self._parts]:
            self._part(place)

    # Who has which rules

    def _share(self, edge: Edge, host: str, rules: Sequence[Rule]) -> None:
        """Give each rule for a host name to an exposure."""
        owners = [self._owner(edge, rule) for rule in rules]
        at_all = [place for place, home in self._home.items() if home == edge]
        others = [owner for owner in owners if owner] + at_all
        for rule, own in zip(rules, owners, strict=True):
            lose = partial(
                self._routing.lose, f"host name {host}", rule.matches[0]["path"]["value"]
            )
            owner = own or next(iter(others), None)
            if owner is None:
                sent = [*map("/".join, (backend.place for backend in rule.backends))]
                instead = "Give the service a gateway of its own, or expose another one there"
                why = (
                    f"Service {sent[0]} is exposed at gateway {self._gateway(rule)}, too, and no"
                    f" other one at {self._names[edge]}"
                    if sent
                    else f"no Service is exposed at gateway {self._names[edge]}"
                )
                lose(sent, why, instead)
            elif wrong := [
                one for one in rule.backends if self._ports.get(one.place, one.port) != one.port
            ]:
                place = "/".join(wrong[0].place)
                lose(
                    wrong[0].port,
                    f"Service {place} is exposed at port {self._ports[wrong[0].place]}, to which"
                    " its waypoint sends all requests",
                    "Make a Service of its own for this port",
                )
            else:
                self._parts.setdefault(owner, {}).setdefault(host, []).append(rule)

    def _owner(self, edge: Edge, rule: Rule) -> _Place | None:
        """The first Service of a rule that is exposed at a gateway."""
        places = (backend.place for backend in rule.backends)
        return next((place for place in places if self._home.get(place) == edge), None)

    def _part(self, place: _Place) -> None:
        """Give the rules for host names that a wildcard of the same exposure is for to another one.

        In one route the wildcard's rules would be for them, too.
        """
        parts = self._parts[place]
        for host in [*parts]:
            wider = [
                other for other in parts if _is_for(other, host) and parts[other] != parts[host]
            ]
            if not wider:
                continue
            rules = parts.pop(host)
            edge = self._home[place]
            others = sorted(
                (one for one, home in self._home.items() if home == edge and one != place),
                key=lambda one: (host not in self._parts.get(one, {}), one[0] != place[0]),
            )
            taker = next((one for one in others if not self._is_within(one, host)), None)
            if taker:
                self._parts.setdefault(taker, {}).setdefault(host, []).extend(rules)
            else:
                self._routing.lose(
                    f"host name {host}",
                    "rules",
                    [match["path"]["value"] for rule in rules for match in rule.matches],
                    f"Service {'/'.join(place)} is exposed as {wider[0]}, with other rules",
                    "Make a Service of its own for it",
                )

    def _is_within(self, place: _Place, host: str) -> bool:
        """Whether a wildcard of an exposure is for a host name, or the other way round."""
        named = self._parts.get(place, {})
        return any(_is_for(one, host) or _is_for(host, one) for one in named)

    def _gateway(self, rule: Rule) -> str:
        return self._names[self._home[rule.backends[0].place]]

    # The configuration

    def config(self) -> dict[str, Any]:
        """All of it."""
        exposed = {namespace: None for namespace, _ in self._parts}
        names = Counter(service for _, service in self._parts)
        for place, rules in self._routing.inside.items():
            if place not in self._parts and rules:
                self._routing.lose(
                    f"Service {'/'.join(place)}",
                    "rules of the mesh",
                    [match["path"]["value"] for rule in rules for match in rule.matches],
                    "no gateway exposes the Service, and an exposure has one",
                    "Make a waypoint and an HTTPRoute for the Service by hand",
                )
        edges = [edge for edge in self._names if self._hosts(edge)]
        self._name_addresses(edges)
        spaces = {edge.namespace: None for edge in edges} | exposed
        return {
            "namespaces": {name: self._namespace(name, name in exposed) for name in spaces},
            "gateways": {self._names[edge]: self._edge(edge) for edge in edges},
            "waypoints": {
                f"{name}-waypoint": {"namespace": {"existing": {"entry": name}}} for name in exposed
            },
            "exposures": {
                service if names[service] == 1 else f"{namespace}-{service}": self._exposure(
                    (namespace, service), parts
                )
                for (namespace, service), parts in self._parts.items()
            },
        }

    def _name_addresses(self, edges: Sequence[Edge]) -> None:
        """Name host names that had one address, and have several."""
        for name, namespace in dict.fromkeys((edge.name, edge.namespace) for edge in edges):
            several = [one for one in edges if (one.name, one.namespace) == (name, namespace)]
            for edge in several[1:]:
                self._routing.lose(
                    f"gateway {self._names[edge]}",
                    "hostnames",
                    self._hosts(edge),
                    f"it has another address than {self._names[several[0]]}: a gateway serves"
                    " plaintext or HTTPS for all of its host names",
                    "Point them at it, or give all the same",
                )

    def _namespace(self, name: str, exposed: bool) -> dict[str, Any]:  # noqa: FBT001
        if name in self._routing.made and not exposed:
            return {"ambient": False}
        return {"create": False, "ambient": exposed}

    def _hosts(self, edge: Edge) -> list[str]:
        """The host names of a gateway."""
        return [
            host
            for site, host in self._routing.sites
            if site == edge and any(host in parts for parts in self._parts.values())
        ]

    def _listened(self, edge: Edge) -> list[str]:
        """The host names that have a listener: none that the one of a wildcard serves as well.

        Routes of the wildcard would attach to it, too.
        """
        hosts, secrets = self._hosts(edge), self._routing.certificates
        wider = {host: [one for one in hosts if _is_for(one, host)] for host in hosts}
        listened: list[str] = []
        for host, others in wider.items():
            if any(secrets.get((edge, one)) == secrets.get((edge, host)) for one in others):
                continue
            listened.append(host)
            if others:
                self._routing.lose(
                    f"host name {host}",
                    "tls",
                    secrets[edge, host],
                    f"with a certificate of its own it gets the rules of {others[0]}, too",
                    "Give both the same certificate",
                )
        return listened

    def _edge(self, edge: Edge) -> dict[str, Any]:
        listened = self._listened(edge)
        users = {place[0] for place, home in self._home.items() if home == edge}
        gateway: dict[str, Any] = {
            "namespace": {"existing": {"entry": edge.namespace}},
            "hostnames": listened,
            "serviceType": "LoadBalancer",
        }
        if users != {edge.namespace}:
            gateway["allowedRoutes"] = {"namespaces": {"from": "All"}}
        if edge.port != 80:
            gateway["port"] = edge.port
        if rules := [*self._refused(edge)]:
            gateway["policies"] = [{"action": "DENY", "rules": rules}]
            gateway["customization"] = {"service": {"spec": {"externalTrafficPolicy": "Local"}}}
        if edge.mode:
            secrets = {host: self._routing.certificates[edge, host] for host in listened}
            local = f"{edge.namespace}/"
            tls: dict[str, Any] = {
                "certificates": {
                    host: secret.removeprefix(local) for host, secret in secrets.items()
                }
            }
            if edge.mode != "SIMPLE":
                tls["mode"] = edge.mode
            if edge.tls_port != 443:
                tls["port"] = edge.tls_port
            if not edge.redirect:
                tls["redirect"] = False
            if not all(secret.startswith(local) for secret in secrets.values()):
                tls["grants"] = True
            gateway["tls"] = tls
        return gateway

    def _refused(self, edge: Edge) -> Iterator[dict[str, Any]]:
        """Rules for those that a gateway refuses, by their addresses."""
        asked: list[tuple[dict[str, list[str]], list[str]]] = []
        for host in self._hosts(edge):
            sources = self._routing.sources.get((edge, host), {})
            same = next((hosts for ranges, hosts in asked if ranges == sources), None)
            if same is None:
                asked.append((sources, same := []))
            same += [host, f"{host}:*"]
        for sources, hosts in asked:
            for field, blocks in sources.items():
                source, operation = {field: blocks}, {"hosts": hosts}
                yield {"from": [{"source": source}], "to": [{"operation": operation}]}

    def _exposure(self, place: _Place, parts: Mapping[str, list[Rule]]) -> dict[str, Any]:
        namespace, service = place
        own = Backend(namespace, service, self._ports[place])
        exposure: dict[str, Any] = {
            "namespace": {"existing": {"entry": namespace}},
            "service": {"name": service, "port": own.port, "create": False},
            "hostnames": [*parts],
            "rules": _rendered(self._routing.inside.get(place) or [Rule([EVERY], [own])], own),
            "gateway": {"existing": {"entry": self._names[self._home[place]]}},
            "waypoint": {"existing": {"entry": f"{namespace}-waypoint"}},
        }
        at_gateway = _rendered([*_by_host(parts)], own)
        if at_gateway != [{"paths": ["/"]}]:
            exposure["ingressRules"] = at_gateway
        if cookie := self._routing.sessions.get(place):
            hash_ = {"consistentHash": {"httpCookie": cookie}}
            exposure["trafficPolicy"] = {"loadBalancer": hash_}
        named = [rule for rules in parts.values() for rule in rules]
        if any(backend.namespace != namespace for rule in named for backend in _named(rule)):
            exposure["grants"] = True
        return exposure


def _is_for(wildcard: str, host: str) -> bool:
    """Whether a wildcard is for a host name, or for a narrower one."""
    return wildcard != host and wildcard.startswith("*.") and host.endswith(wildcard[1:])


def _named(rule: Rule) -> Iterator[Backend]:
    """All Services that a rule names."""
    yield from rule.backends
    for filter_ in rule.filters:
        if reference := filter_.get("requestMirror", {}).get("backendRef"):
            yield Backend(reference["namespace"], reference["name"], reference["port"])


def _by_host(parts: Mapping[str, list[Rule]]) -> Iterator[Rule]:
    """The rules of a route for several host names; where these differ, each asks for its own."""
    groups: list[tuple[list[Rule], list[str]]] = []
    for host, rules in parts.items():
        same = next((group for group in groups if group[0] == rules), None)
        if same:
            same[1].append(host)
        else:
            groups.append((rules, [host]))
    for rules, hosts in groups:
        for rule in rules:
            matches = rule.matches
            if len(groups) > 1:
                matches = [_asking(match, hosts) for match in matches]
            yield Rule(matches, rule.backends, rule.filters, rule.limits)


def _asking(match: Match, hosts: Sequence[str]) -> Match:
    """A match for some host names alone."""
    names = "|".join(re.escape(host).replace(r"\*", r".+") for host in hosts)
    condition = {"type": "RegularExpression", "name": "Host", "value": f"({names})(:[0-9]+)?"}
    return {**match, "headers": [*match.get("headers", []), condition]}


def _rendered(rules: Sequence[Rule], own: Backend) -> list[dict[str, Any]]:
    """Rules as an exposure has them, those that do the same as one."""
    joined: list[Rule] = []
    for rule in rules:
        same = next((one for one in joined if one.like(rule)), None)
        if same and len(same.matches) + len(rule.matches) <= 64:
            same.matches.extend(rule.matches)
        else:
            joined.append(Rule([*rule.matches], rule.backends, rule.filters, rule.limits))
    return [_rule(rule, own) for rule in joined]


def _rule(rule: Rule, own: Backend) -> dict[str, Any]:
    rendered: dict[str, Any] = {}
    if all(match.keys() == {"path"} and _is_prefix(match) for match in rule.matches):
        rendered["paths"] = [match["path"]["value"] for match in rule.matches]
    else:
        rendered["matches"] = rule.matches
    if rule.filters:
        rendered["filters"] = [_local(filter_, own.namespace) for filter_ in rule.filters]
    rendered |= rule.limits
    alone = len(rule.backends) == 1 and rule.backends[0]._replace(weight=None) == own
    if not rule.redirects and not alone:
        rendered["backendRefs"] = [_reference(one, own.namespace) for one in rule.backends]
    return rendered


def _is_prefix(match: Match) -> bool:
    return bool(match["path"]["type"] == "PathPrefix")


def _reference(backend: Backend, namespace: str) -> dict[str, Any]:
    reference: dict[str, Any] = {"name": backend.service, "port": backend.port}
    if backend.namespace != namespace:
        reference["namespace"] = backend.namespace
    if backend.weight is not None:
        reference["weight"] = backend.weight
    if backend.filters:
        reference["filters"] = [*backend.filters]
    return reference


def _local(filter_: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    """A filter whose mirror names its namespace only where it is another one."""
    mirror = filter_.get("requestMirror")
    if not mirror or mirror["backendRef"]["namespace"] != namespace:
        return {**filter_}
    reference = {key: value for key, value in mirror["backendRef"].items() if key != "namespace"}
    return {**filter_, "requestMirror": {**mirror, "backendRef": reference}}


def _edge_names(edges: Sequence[Edge]) -> dict[Edge, str]:
    """A name for each gateway, as short as it can be."""
    unique = [*dict.fromkeys(edges)]
    bare = Counter(edge.name for edge in unique)
    origins = {
        edge.name: {one.namespace for one in unique if one.name == edge.name} for edge in unique
    }
    named: dict[Edge, str] = {}
    for edge in unique:
        name = edge.name if len(origins[edge.name]) == 1 else f"{edge.name}-{edge.namespace}"
        if bare[edge.name] > len(origins[edge.name]):
            name += "-http" if not edge.mode else "-https" if edge.redirect else "-both"
            if edge.mode not in ("", "SIMPLE"):
                name += f"-{edge.mode.lower().replace('_', '-')}"
        while name in named.values():
            name += "-2"
        named[edge] = name
    return named
