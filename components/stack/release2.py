"""The configuration of release 2, and its new form.

It had flat keys, each with a default in Pulumi.yaml; the entries of its lists `exposures`,
`gateways` and `waypoints` inherited them. The new form is written in full, so that no default of a
later release changes a stack of release 2.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..checks.faults import Faults
from ..checks.values import did_you_mean, shown


class Key(NamedTuple):
    """A key of release 2."""

    now: str
    """The paths at which it stands now, `NAME` in place of an entry's name."""
    default: Any
    """Its default, of the type that its values are of; an empty one meant unset."""


class Rewritten(NamedTuple):
    """A configuration in its new form."""

    config: dict[str, Any]
    """The stack's keys."""
    unused: list[str]
    """Keys of release 2 that were set, but had no effect beside others; they are left out."""


KEYS: Mapping[str, Key] = {
    "context": Key("cluster.context", ""),
    "kubeconfig": Key("cluster.kubeconfig", ""),
    "preflight": Key("cluster.preflight", default=True),
    "labels": Key("labels", {}),
    "annotations": Key("annotations", {}),
    "imageRegistry": Key("imageRegistry", ""),
    "clientNamespace": Key("client.namespace", "curl"),
    "clientImage": Key("client.image", "docker.io/curlimages/curl:8.16.0"),
    "gateways": Key("gateways.NAME, a mapping by name", []),
    "waypoints": Key("waypoints.NAME, a mapping by name", []),
    "exposures": Key("exposures.NAME, a mapping by name", []),
    "namespace": Key("exposures.NAME.namespace.name", "httpbin"),
    "createNamespace": Key("exposures.NAME.namespace.create", default=True),
    "discoveryLabels": Key(
        "exposures.NAME.namespace.discoveryLabels and client.discoveryLabels",
        {"istio-discovery": "enabled"},
    ),
    "service": Key("exposures.NAME.service.name", "httpbin"),
    "servicePort": Key("exposures.NAME.service.port", 8000),
    "createService": Key("exposures.NAME.service.create", default=True),
    "selector": Key("exposures.NAME.service.selector", {}),
    "canary": Key("exposures.NAME.service.canary", {}),
    "image": Key("exposures.NAME.service.image", "docker.io/mccutchen/go-httpbin:v2.15.0"),
    "containerPort": Key("exposures.NAME.service.containerPort", 8080),
    "protocol": Key("exposures.NAME.service.protocol", "http"),
    "args": Key("exposures.NAME.service.args", []),
    "env": Key("exposures.NAME.service.env", {}),
    "replicas": Key("exposures.NAME.service.replicas", 1),
    "resources": Key("exposures.NAME.service.resources", {}),
    "securityContext": Key("exposures.NAME.service.securityContext", {}),
    "readinessProbe": Key("exposures.NAME.service.readinessProbe", {}),
    "livenessProbe": Key("exposures.NAME.service.livenessProbe", {}),
    "hostnames": Key("exposures.NAME.hostnames", ["httpbin.example.com"]),
    "paths": Key("exposures.NAME.rules[0].paths", ["/status", "/headers"]),
    "rules": Key("exposures.NAME.rules", []),
    "grpcRules": Key("exposures.NAME.grpcRules", []),
    "ingressRules": Key("exposures.NAME.ingressRules", []),
    "gateway": Key("exposures.NAME.gateway.existing.entry", ""),
    "serviceType": Key("exposures.NAME.gateway.serviceType", "ClusterIP"),
    "port": Key("exposures.NAME.gateway.port", 80),
    "tls": Key("exposures.NAME.gateway.tls", {}),
    "referenceGrants": Key(
        "exposures.NAME.grants and exposures.NAME.gateway.tls.grants", default=False
    ),
    "listeners": Key("exposures.NAME.gateway.listeners", []),
    "allowedRoutes": Key("exposures.NAME.gateway.allowedRoutes", {}),
    "address": Key("exposures.NAME.gateway.address", ""),
    "addressType": Key("exposures.NAME.gateway.addressType", "Hostname"),
    "nameOverride": Key("exposures.NAME.gateway.nameOverride", ""),
    "gatewayClass": Key("exposures.NAME.gateway.gatewayClass", "istio"),
    "gatewayCustomization": Key("exposures.NAME.gateway.customization", {}),
    "clusterDomain": Key("exposures.NAME.gateway.clusterDomain", "cluster.local"),
    "revision": Key("exposures.NAME.gateway.revision and exposures.NAME.waypoint.revision", ""),
    "waypoint": Key("exposures.NAME.waypoint.existing.entry", ""),
    "waypointFor": Key("exposures.NAME.waypoint.waypointFor", "service"),
    "waypointRoutes": Key("exposures.NAME.waypoint.allowedRoutes", {}),
    "waypointClass": Key("exposures.NAME.waypoint.gatewayClass", "istio-waypoint"),
    "waypointCustomization": Key("exposures.NAME.waypoint.customization", {}),
    "ingressUseWaypoint": Key("exposures.NAME.waypoint.ingressUseWaypoint", "service"),
    "policies": Key("exposures.NAME.policies", []),
    "jwtRules": Key("exposures.NAME.jwtRules", []),
    "requireWaypoint": Key("exposures.NAME.requireWaypoint", default=False),
    "trustDomain": Key("exposures.NAME.trustDomain", "cluster.local"),
    "readyTimeout": Key("exposures.NAME.readyTimeout and client.readyTimeout", 300),
    "verify": Key("exposures.NAME.verification, which is left out for false", default=True),
    "checks": Key(
        "exposures.NAME.verification.checks",
        [{"path": "/headers", "status": 200}, {"path": "/get", "status": 404}],
    ),
    "verifyTimeout": Key("exposures.NAME.verification.timeout", 60),
}
"""Every key of release 2, in the order of the new form."""

_ENTRY = "exposures.NAME."

_LISTS = {
    "exposures": (_ENTRY,),
    "gateways": tuple(_ENTRY + part for part in ("namespace", "hostnames", "gateway", "ready")),
    "waypoints": tuple(_ENTRY + part for part in ("namespace", "waypoint", "ready")),
}
"""Beginnings of the paths that concern an entry of each list, as those of an exposure."""

_OF_STACK = {
    "discoveryLabels",
    "revision",
    "clusterDomain",
    "trustDomain",
    "referenceGrants",
    "readyTimeout",
    "verifyTimeout",
}
"""Keys that no entry had."""

_OF_EXPOSURE = {"gateway", "waypoint", "ingressUseWaypoint"}
"""Keys that no shared gateway or waypoint had."""

_OF_ANY_SERVICE = {"service", "servicePort", "createService", "selector", "canary"}
"""Keys that had an effect on a service that existed."""

_NEW = {"client", "cluster", "defaults", "namespaces", "primary"}
"""Keys that only the new form has."""

_UNSET: tuple[object, ...] = ("", [], {})

_WORDS = {
    str: "a string",
    bool: "true or false",
    int: "an integer",
    list: "a list",
    dict: "a mapping",
}

# What the components of release 2 did where the configuration said nothing.
_ALLOWED_ROUTES = {"namespaces": {"from": "All"}}
_SECURITY_CONTEXT = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_TLS = {"mode": "SIMPLE", "port": 443, "redirect": True}


def moved(key: str) -> str | None:
    """What to say of a key that is refused; None where it is not one of release 2, or still one."""
    if key not in KEYS or KEYS[key].now == key:
        return None
    rewrite = "python -m components rewrite Pulumi.STACK.yaml"
    return f"now {KEYS[key].now} (`{rewrite}` rewrites the file)"


def is_release_2(config: Mapping[str, Any]) -> bool:
    """Whether a stack's keys, without the project's name before them, are those of release 2.

    Values are as in a stack file, or JSON as the engine hands them to a program.
    """
    return any(
        moved(key) and (key not in _LISTS or isinstance(_parsed(value, list), list))
        for key, value in config.items()
    )


def is_new(config: Mapping[str, Any]) -> bool:
    """Whether a stack's keys are those of the new form; values as for `is_release_2`."""
    return any(
        key in _NEW or (key in _LISTS and isinstance(_parsed(value, dict), dict))
        for key, value in config.items()
    )


def rewrite(subject: str, config: Mapping[str, Any]) -> Rewritten:
    """The new form of a stack's keys of release 2.

    Raises `InvalidInput` about `subject` with each key that is unknown or of the wrong type.
    """
    faults = Faults(subject)
    given = _read(faults, "", config, KEYS)
    listed = {key: _read_entries(faults, key, given.pop(key, [])) for key in _LISTS}
    faults.raise_any()
    exposures = listed["exposures"] = listed["exposures"] or [{"name": "exposure"}]
    stack = {key: one.default for key, one in KEYS.items()} | given
    verified = any({**stack, **entry}["verify"] for entry in exposures)
    new: dict[str, Any] = {"cluster": {}, "client": {"name": "curl"} if verified else {}}
    used = {"verify"}
    for key, path in _places(_set({**stack, "verify": verified})):
        if not path.startswith(_ENTRY):
            _put(new, path, stack[key])
            used.add(key)
    # The flat outputs were those of the first.
    primary = exposures[0]["name"] if len(exposures) > 1 else ""
    new |= {"namespaces": {}, "gateways": {}, "waypoints": {}, "primary": primary, "exposures": {}}
    unused: list[str] = []
    for list_, entries in listed.items():
        for index, entry in enumerate(entries):
            form, effective = _entry(list_, _set({**stack, **entry}))
            used |= effective
            unused += [f"{list_}[{index}].{key}" for key in _set(entry) if key not in effective]
            namespace = form["namespace"]
            name = namespace.pop("name")
            new[list_][entry["name"]] = form | {"namespace": {"existing": {"entry": name}}}
            # The pods of gateways and waypoints are no workloads of the mesh.
            first = {**namespace, "ambient": list_ == "exposures"}
            if new["namespaces"].setdefault(name, first)["create"] != namespace["create"]:
                faults.add(
                    "createNamespace",
                    f"found both true and false for namespace {name}, expected one of them",
                )
    faults.raise_any()
    return Rewritten(_set(new), [*(key for key in _set(given) if key not in used), *unused])


def _entry(list_: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """An entry in its new form, its namespace as if it were its own; and the keys in effect."""
    paths = [{"paths": given["paths"]}] if "paths" in given else []
    values = {
        "securityContext": _SECURITY_CONTEXT,
        "readinessProbe": {"tcpSocket": {"port": given["containerPort"]}},
        "allowedRoutes": _ALLOWED_ROUTES,
        **given,
        "rules": [*paths, *given.get("rules", [])],
        "ingressUseWaypoint": given["ingressUseWaypoint"] == "namespace",
    }
    if "tls" in given:
        values["tls"] = {**_TLS, **given["tls"]}
    if list_ != "exposures":
        values = {key: value for key, value in values.items() if key not in _OF_EXPOSURE}
    form: dict[str, Any] = {}
    effective = {"name", "verify"}
    for key, path in _places(values):
        if path.startswith(_LISTS[list_]) and key != "verify":
            effective |= {key} & given.keys()
            _put(form, path.removeprefix(_ENTRY), values[key])
    if list_ != "exposures":
        own = form.pop(list_.removesuffix("s"))
        return form | own, effective
    for part in ("gateway", "waypoint"):
        name = {} if part in values else {"name": f"{values['service']}-{part}"}
        form[part] = {**name, **form[part]}
    form["waypoint"]["binds"] = "Namespace"
    form.pop("rules[0]", None)
    return _set(form), effective


def _places(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The keys that have an effect beside others, with each path at which they stand now."""
    for key, one in KEYS.items():
        for path in one.now.split(" and ") if key in values else ():
            part = path.removeprefix(_ENTRY).partition(".")[0]
            shared = part in _OF_EXPOSURE & values.keys() and key not in _OF_EXPOSURE
            unverified = part in ("client", "verification") and not values["verify"]
            adopted = part == "service" and not values["createService"]
            no_tls = path.endswith(".tls.grants") and "tls" not in values
            if not (shared or unverified or (adopted and key not in _OF_ANY_SERVICE) or no_tls):
                yield key, path


def _put(whole: dict[str, Any], path: str, value: object) -> None:
    *steps, last = path.split(".")
    for step in steps:
        whole = whole.setdefault(step, {})
    whole.setdefault(last, value)


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in _UNSET}


def _read(
    faults: Faults, path: str, config: Mapping[str, Any], keys: Mapping[str, Key]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, found in config.items():
        if key not in keys:
            new = "; it is of the new form: take it out, and put it back afterwards"
            hint = new if key in _NEW else did_you_mean(key, keys)
            faults.add(f"{path}{key}", f"found an unknown key, expected one of release 2{hint}")
        elif key not in _LISTS and _holds_secret(found):
            faults.add(
                f"{path}{key}",
                "found a secret, expected plain text, as release 2 took no secrets. Take it out,"
                " and set it at its new place afterwards, with"
                " `pulumi config set --secret --path`",
            )
        else:
            value = _parsed(found, type(keys[key].default))
            if expected := _expected(key, keys[key].default, value):
                faults.add(f"{path}{key}", f"found {shown(found)}, expected {expected}")
            else:
                values[key] = value
    return values


def _parsed(value: object, kind: type) -> object:
    """A value as release 2 got it: the engine hands over text, and all else as JSON."""
    if kind is str:
        return json.dumps(value) if isinstance(value, bool | int | float) else value
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value.lower() if kind is bool else value)
    except ValueError:
        return value


def _expected(key: str, default: Any, value: object) -> str:
    """What is expected in place of a value; nothing where it is right."""
    if type(value) is not type(default):
        return _WORDS[type(default)]
    if key == "ingressUseWaypoint" and value not in ("service", "namespace"):
        return "one of service, namespace"
    may_be_empty = default in _UNSET or key in ("discoveryLabels", "paths")
    return (
        "" if may_be_empty or value not in _UNSET else f"{_WORDS[type(default)]} that is not empty"
    )


def _holds_secret(value: object) -> bool:
    """Whether a part of a value is encrypted, which a stack file has as `secure: TEXT`."""
    if isinstance(value, dict):
        return list(value) == ["secure"] or any(map(_holds_secret, value.values()))
    return isinstance(value, list) and any(map(_holds_secret, value))


def _read_entries(faults: Faults, list_: str, found: Sequence[object]) -> list[dict[str, Any]]:
    none = _OF_STACK if list_ == "exposures" else _OF_STACK | _OF_EXPOSURE
    keys = {"name": Key("the key of the entry", "")} | {
        key: one
        for key, one in KEYS.items()
        if one.now.startswith(_LISTS[list_]) and key not in none
    }
    entries: list[dict[str, Any]] = []
    for index, entry in enumerate(found):
        path = f"{list_}[{index}]"
        if not isinstance(entry, dict):
            faults.add(path, f"found {shown(entry)}, expected a mapping")
            continue
        values = _read(faults, f"{path}.", entry, keys)
        if not entry.get("name"):
            faults.add(f"{path}.name", "found nothing, expected a string")
        elif any(values.get("name") == other.get("name") for other in entries):
            faults.add(f"{path}.name", f"found {shown(entry['name'])}, which is taken already")
        entries.append(values)
    return entries
