"""What a change of an object means for requests, in plain words."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from ..api.istio import INGRESS_USE_WAYPOINT, USE_WAYPOINT
from .difference import shown, told

Object = Mapping[str, Any]

_EVERY = "every request"


def effects(kind: str, old: Object, new: Object) -> Iterator[str]:
    """Sentences on the change from `old` to `new`, either empty where there is none."""
    # What a preview does not know is a text, also where more is expected; there is nothing to say.
    with suppress(AttributeError, KeyError, TypeError):
        if say := _KINDS.get(kind):
            yield from say(old, new)


def code(text: object) -> str:
    """`text` as it is written in Markdown for what is taken literally."""
    line = " ".join(told(str(text)).split())
    plain = line.replace("`", "'")
    return f"`{plain}`"


def _codes(texts: list[str]) -> str:
    return ", ".join(text if text == _EVERY else code(text) for text in texts)


def _name(old: Object, new: Object) -> str:
    return code((new or old).get("metadata", {}).get("name"))


def _spec(one: Object) -> dict[str, Any]:
    spec: dict[str, Any] = one.get("spec") or {}
    return spec


def _list(one: Object, key: str) -> list[str]:
    found: list[str] = one.get(key) or []
    if isinstance(found, str):
        raise TypeError(key)
    return found


def _new(old: Mapping[str, Any] | list[str], new: Mapping[str, Any] | list[str]) -> list[str]:
    """What `new` has and `old` has not."""
    return [one for one in new if one not in old]


def _route(old: Object, new: Object) -> Iterator[str]:
    was, is_ = _spec(old), _spec(new)
    services = [
        parent["name"]
        for parent in (is_ or was).get("parentRefs", [])
        if parent.get("kind") == "Service"
    ]
    if services and not new:
        yield f"the rules of {_codes(services)} no longer hold"
        return
    if not services:
        hosts, former = _list(is_, "hostnames"), _list(was, "hostnames")
        yield from (f"new host name {code(host)}" for host in _new(former, hosts))
        yield from (f"{code(host)} is no longer answered" for host in _new(hosts, former))
        if not (old and new):
            return
        services = hosts
    yield from _rules(was.get("rules", []), is_.get("rules", []), services)


def _rules(old: list[Any], new: list[Any], subjects: list[str]) -> Iterator[str]:
    was, is_ = _by_match(old), _by_match(new)
    of = f" of {_codes(subjects)}"
    if added := _new(was, is_):
        yield f"{_codes(added)}{of} {_are(added)} now answered"
    if gone := _new(is_, was):
        ends = "no rule of their own any more" if len(gone) > 1 else "no rule of its own any more"
        yield (
            f"{_codes(gone)}{of} {'have' if len(gone) > 1 else 'has'} {ends}"
            if _EVERY in is_
            else f"{_codes(gone)}{of} {_are(gone)} no longer answered"
        )
    said: dict[tuple[str, str], list[str]] = {}
    for match, rule in is_.items():
        for words in _changes(was.get(match, {}), rule, subjects):
            said.setdefault(words, []).append(match)
    for (before, after), matches in said.items():
        which = _codes(subjects) if len(matches) == len(is_) else _codes(matches) + of
        yield before + which + after


def _are(subjects: list[str]) -> str:
    return "are" if len(subjects) > 1 else "is"


def _by_match(rules: list[Any]) -> dict[str, Any]:
    """The rules, each under every match that it has, as one reads it."""
    return {_match(match): rule for rule in rules for match in rule.get("matches") or [{}]}


def _match(match: Object) -> str:
    path, method = match.get("path", {}), match.get("method", "")
    if isinstance(method, Mapping):  # of a GRPCRoute
        words = ["/".join(method[key] for key in ("service", "method") if key in method)]
    else:
        value = path.get("value", "/")
        kind = {"Exact": " exactly", "RegularExpression": " as a regular expression"}
        whole = value == "/" and path.get("type", "PathPrefix") == "PathPrefix"
        words = [method, "" if whole else f"{value}{kind.get(path.get('type', ''), '')}"]
    for key, what in (("headers", "header"), ("queryParams", "query")):
        words += [f"with {what} {one['name']}={one['value']}" for one in match.get(key, [])]
    return " ".join(filter(None, words)) or _EVERY


def _changes(old: Object, new: Object, subjects: list[str]) -> Iterator[tuple[str, str]]:
    """What becomes of requests, in words before and after them."""
    was, is_ = _treatment(old), _treatment(new)
    for key in {**was, **is_}:
        if was.get(key) != is_.get(key):
            verb, how = is_.get(key) or was[key]
            yield "", f" {verb} {'now' if key in is_ else 'no longer'} {how}"
    former, shares = _shares(old), _shares(new)
    if shares == former or (not old and len(shares) < 2):
        return
    for name, share in shares.items():
        if share == 100 and (name not in subjects or len(former) > 1):
            yield "all of ", f" goes to {code(name)}"
        elif 0 < share < 100 and name not in subjects:
            yield f"{share} % of ", f" goes to {code(name)}"


def _treatment(rule: Object) -> dict[str, tuple[str, str]]:
    """What is done with requests beside sending them on: a verb and the rest."""
    found = {}
    for one in rule.get("filters", []):
        for key, (verb, how) in _FILTERS.items():
            if key in one:
                found[key] = (verb, f"{how} ({code(shown(one[key]))})")
    if limit := rule.get("timeouts", {}).get("request"):
        found["timeouts"] = ("is", f"cut off after {code(limit)}")
    if retry := rule.get("retry"):
        found["retry"] = ("is", f"tried again where it fails ({code(shown(retry))})")
    return found


_FILTERS = {
    "requestRedirect": ("is", "redirected"),
    "urlRewrite": ("is", "rewritten"),
    "requestMirror": ("is", "mirrored"),
    "cors": ("is", "open to pages of other origins"),
    "requestHeaderModifier": ("has", "other request headers"),
    "responseHeaderModifier": ("has", "other response headers"),
}


def _shares(rule: Object) -> dict[str, int]:
    """The percentage of requests that each backend gets."""
    weights = {one["name"]: one.get("weight", 1) for one in rule.get("backendRefs", [])}
    whole = sum(weights.values()) or 1
    return {name: round(100 * weight / whole) for name, weight in weights.items()}


def _policy(old: Object, new: Object) -> Iterator[str]:
    was, is_ = _spec(old), _spec(new)
    if old and new and was.get("action") != is_.get("action"):
        yield from _policy(old, {})
        yield from _policy({}, new)
        return
    of = f" of {_codes(_targets(is_ or was))}"
    action = (is_ or was).get("action", "ALLOW")
    done = {"ALLOW": "let through", "DENY": "refused"}.get(action, "judged by another service")
    tokens, needs = _requests(was, tokens=True), _requests(is_, tokens=True)
    before, after = _requests(was, tokens=False), _requests(is_, tokens=False)
    for requests, words in (
        (_new(tokens, needs), "now needs a token"),
        (_new(needs, tokens), "no longer needs a token"),
        (_new([*before, *tokens], after), f"is now {done}"),
        (_new([*after, *needs], before), f"is no longer {done}"),
    ):
        yield from (f"{_codes([one])}{of} {words}" for one in requests)
    if action == "ALLOW" and not old:
        yield f"all else{of} is refused, unless another policy lets it through"


def _targets(spec: Object) -> list[str]:
    named = [*spec.get("targetRefs", []), *filter(None, [spec.get("targetRef")])]
    labels = spec.get("selector", {}).get("matchLabels", {})
    selected = ", ".join(f"{key}={value}" for key, value in labels.items())
    return [one["name"] for one in named] or [f"pods {selected}" if selected else "all pods"]


def _requests(spec: Object, *, tokens: bool) -> list[str]:
    """The requests that a policy's rules name: those that need a token, or the others."""
    found = []
    for rule in spec.get("rules", []):
        sources = [one.get("source", {}) for one in rule.get("from", [])]
        key = "notRequestPrincipals" if spec.get("action") == "DENY" else "requestPrincipals"
        if (bool(sources) and all(key in one for one in sources)) is tokens:
            clients = [] if tokens else [_client(one) for one in sources]
            end = f" from {' or '.join(clients)}" if clients else ""
            end += " under a condition" if rule.get("when") and not tokens else ""
            operations = [one.get("operation", {}) for one in rule.get("to", [])] or [{}]
            found += [
                (request if request != _EVERY or not end else "requests") + end
                for operation in operations
                for request in _operation(operation)
            ]
    return found


def _operation(operation: Object) -> list[str]:
    if operation.keys() - {"methods", "paths"}:
        return ["some requests"]
    methods, paths = _list(operation, "methods") or [""], _list(operation, "paths") or [""]
    return [f"{method} {path}".strip() or _EVERY for method in methods for path in paths]


def _client(source: Object) -> str:
    return " ".join(f"{key} {', '.join(map(str, value))}" for key, value in source.items())


def _tokens(old: Object, new: Object) -> Iterator[str]:
    was, is_ = ([rule["issuer"] for rule in _spec(one).get("jwtRules", [])] for one in (old, new))
    of = f"at {_codes(_targets(_spec(new) or _spec(old)))}"
    for issuer in _new(was, is_):
        yield f"tokens of {code(issuer)} are now checked {of}: a wrong one is answered 401"
    for issuer in _new(is_, was):
        yield f"tokens of {code(issuer)} are no longer accepted {of}"


def _listening(old: Object, new: Object, gateway: str) -> Iterator[str]:
    was, is_ = (
        [
            f"{one['protocol']} port {one['port']} for {one.get('hostname', 'every host name')}"
            for one in _spec(gateway_).get("listeners", [])
            if one["protocol"] != "HBONE"
        ]
        for gateway_ in (old, new)
    )
    yield from (f"{gateway} now listens on {code(one)}" for one in _new(was, is_))
    yield from (f"{gateway} no longer listens on {code(one)}" for one in _new(is_, was))


def _listener_set(old: Object, new: Object) -> Iterator[str]:
    yield from _listening(old, new, f"Gateway {code(_spec(new or old)['parentRef']['name'])}")


def _gateway(old: Object, new: Object) -> Iterator[str]:
    if not old:
        return  # its routes tell
    gateway = f"Gateway {_name(old, new)}"
    yield from _listening(old, new, gateway)
    former, type_ = (_metadata(one, "annotations").get(_TYPE) for one in (old, new))
    if new and former != type_:
        yield f"{gateway} is now reached by {code(type_)} instead of {code(former)}"
    for mark, what in _MARKS.items():
        former, value = (_metadata(one, "annotations").get(mark, "") for one in (old, new))
        if new and former != value:
            yield f"{gateway} {'now' if value else 'no longer'} has {what} {code(value or former)}"
    yield from _proxy(gateway, old, new)
    checked, checks = (_spec(one).get("tls", {}).get("frontend") for one in (old, new))
    if new and checked != checks:
        now = "now checks" if checks else "no longer checks"
        yield f"{gateway} {now} certificates of clients ({code(shown(checks or checked))})"


_TYPE = "networking.istio.io/service-type"
_MARKS = {
    "cert-manager.io/issuer": "certificates of Issuer",
    "cert-manager.io/cluster-issuer": "certificates of ClusterIssuer",
    "external-dns.kubernetes.io/target": "DNS records that lead to",
}


def _proxy(gateway: str, old: Object, new: Object) -> Iterator[str]:
    before, after = (
        _spec(one).get("infrastructure", {}).get("annotations", {}).get(_PROXY)
        for one in (old, new)
    )
    if new and before != after:
        yield (
            f"{gateway} restarts its pods: it knows clients by"
            f" {code(f'X-Forwarded-For, {after}') if after else 'the address of the connection'}"
        )


_PROXY = "proxy.istio.io/config"


def _traffic(old: Object, new: Object) -> Iterator[str]:
    was, is_ = (_spec(one).get("trafficPolicy", {}) for one in (old, new))
    service = code((_spec(new) or _spec(old)).get("host"))
    for part in {**was, **is_}:
        if was.get(part) != is_.get(part):
            subject, how = _TRAFFIC.get(part, ("requests to", f"treated by {part}"))
            now = f"now {how} ({code(shown(is_[part]))})" if part in is_ else f"no longer {how}"
            yield f"{subject} {service} are {now}"


_TRAFFIC = {
    "loadBalancer": ("requests to", "spread over pods as configured"),
    "connectionPool": ("connections and requests to", "limited"),
    "outlierDetection": ("failing pods of", "spared"),
}


def _rate(old: Object, new: Object) -> Iterator[str]:
    was, is_ = (
        [
            f"{bucket['max_tokens']} requests in {bucket['fill_interval']}"
            for patch in _spec(one).get("configPatches", [])
            if (bucket := patch["patch"]["value"]["typed_config"]["token_bucket"])
        ]
        for one in (old, new)
    )
    targets = f"each pod of {_codes(_targets(_spec(new) or _spec(old)))}"
    if is_ and was != is_:
        yield f"{targets} now answers at most {_codes(is_)}, all others with 429"
    elif was and not is_:
        yield f"{targets} no longer answers with 429 what is more than {_codes(was)}"


def _metadata(one: Object, key: str) -> dict[str, str]:
    found: dict[str, str] = one.get("metadata", {}).get(key) or {}
    return found


def _labels(old: Object, new: Object) -> Iterator[str]:
    name = _name(old, new)
    was, is_ = _metadata(old, "labels"), _metadata(new, "labels")
    for label, (whose, passes, ended) in _LABELS.items():
        former, value = was.get(label), is_.get(label)
        if former != value:
            now = f"{passes} {code(value)}" if label == USE_WAYPOINT else passes
            yield f"{whose} {name} {now if value else ended}"


_BYPASSED = "no longer pass a waypoint: none of its rules hold for them"
_LABELS = {
    USE_WAYPOINT: ("requests to", "now pass waypoint", _BYPASSED),
    INGRESS_USE_WAYPOINT: (
        "requests of gateways to",
        "now pass its waypoint",
        _BYPASSED,
    ),
    "istio.io/dataplane-mode": ("pods of", "are now in the mesh", "leave the mesh"),
}


def _service(old: Object, new: Object) -> Iterator[str]:
    if not (old and new):
        return
    yield from _labels(old, new)
    was, is_ = (
        {
            one["port"]: one.get("appProtocol", one["name"])
            for one in _spec(service).get("ports", [])
        }
        for service in (old, new)
    )
    for port, protocol in is_.items():
        if was.get(port, protocol) != protocol:
            yield (
                f"port {code(port)} of {_name(old, new)} now speaks {code(protocol)} instead of"
                f" {code(was[port])}"
            )


def _deployment(old: Object, new: Object) -> Iterator[str]:
    if not (old and new):
        return
    name, was, is_ = _name(old, new), _spec(old), _spec(new)
    before, after = (spec.get("replicas", "as its autoscaler says") for spec in (was, is_))
    if before != after:
        yield f"pods of {name}: {after} instead of {before}"
    former, images = (
        [one["image"] for one in spec["template"]["spec"]["containers"]] for spec in (was, is_)
    )
    if former != images:
        yield f"{name} runs {_codes(images)} instead of {_codes(former)}"


def _telemetry(old: Object, new: Object) -> Iterator[str]:
    gateway = _codes(_targets(_spec(new) or _spec(old)))
    was, is_ = _spec(old), _spec(new)
    for field, what in (
        ("accessLogging", "access logs"),
        ("tracing", "traces"),
        ("metrics", "metrics"),
    ):
        if was.get(field) != is_.get(field):
            how = f"now {code(shown(is_[field]))}" if field in is_ else "as the mesh has them again"
            yield f"{what} of Gateway {gateway} are {how}"


def _connections(old: Object, new: Object) -> Iterator[str]:
    """The change of a route of connections, which has backends and perhaps host names alone."""
    was, is_ = _spec(old), _spec(new)
    hosts, former = _list(is_, "hostnames"), _list(was, "hostnames")
    yield from (f"connections for {code(host)} are now passed on" for host in _new(former, hosts))
    yield from (
        f"connections for {code(host)} are no longer passed on" for host in _new(hosts, former)
    )
    if hosts or former:
        return
    place = f"connections of {_name(old, new)}"
    if bool(old) != bool(new):
        yield f"{place} are {'now' if new else 'no longer'} passed on"


def _backend_tls(old: Object, new: Object) -> Iterator[str]:
    was, is_ = (_spec(one).get("validation", {}).get("hostname") for one in (old, new))
    if was == is_:
        if was and _spec(old) != _spec(new):
            yield f"the certificate of {_codes(_targets(_spec(new)))} is now checked otherwise"
        return
    of = _codes(_targets(_spec(new) or _spec(old)))
    if is_:
        yield f"requests to {of} now go by TLS, if its certificate is for {code(is_)}"
    else:
        yield f"requests to {of} no longer go by TLS"


def _external(old: Object, new: Object) -> Iterator[str]:
    yield from _labels(old, new) if old and new else ()
    was, is_ = (
        [
            *_list(_spec(one), "hosts"),
            *(endpoint["address"] for endpoint in _spec(one).get("endpoints", [])),
        ]
        for one in (old, new)
    )
    if was and is_ and was != is_:
        yield f"{_name(old, new)} is now at {_codes(is_)} instead of {_codes(was)}"
    elif not was:
        yield f"{_codes(is_)} is now a service of the mesh"
    elif not is_:
        yield f"{_codes(was)} is no longer a service of the mesh"


_KINDS: dict[str, Callable[[Object, Object], Iterator[str]]] = {
    "HTTPRoute": _route,
    "GRPCRoute": _route,
    "TLSRoute": _connections,
    "TCPRoute": _connections,
    "BackendTLSPolicy": _backend_tls,
    "ServiceEntry": _external,
    "AuthorizationPolicy": _policy,
    "RequestAuthentication": _tokens,
    "DestinationRule": _traffic,
    "EnvoyFilter": _rate,
    "Gateway": _gateway,
    "Telemetry": _telemetry,
    "ListenerSet": _listener_set,
    "Service": _service,
    "ServicePatch": _labels,
    "NamespacePatch": _labels,
    "Deployment": _deployment,
}
