"""The configuration of release 2, and its new form.

It had flat keys, each with a default in Pulumi.yaml; the entries of its lists `exposures`,
`gateways` and `waypoints` inherited them. The new form is written in full, so that no default of a
later release changes a stack of release 2.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..checks.faults import Faults
from ..checks.values import did_you_mean, shown


class Key(NamedTuple):
    """A key of release 2."""

    now: str
    """Where it stands now, `NAME` in place of an entry's name."""
    default: Any
    """Its default; an empty one meant unset."""

    @property
    def kind(self) -> type:
        """What its values are."""
        return type(self.default)


class Rewritten(NamedTuple):
    """A configuration in its new form."""

    config: dict[str, Any]
    """The stack's keys."""
    unused: list[str]
    """Keys of release 2 that were set, but had no effect beside others; they are left out."""


_CLUSTER = {
    "context": Key("cluster.context", ""),
    "kubeconfig": Key("cluster.kubeconfig", ""),
    "preflight": Key("cluster.preflight", default=True),
}

_METADATA = {
    "labels": Key("labels", {}),
    "annotations": Key("annotations", {}),
    "imageRegistry": Key("imageRegistry", ""),
}
"""Keys that are the same in both forms."""

_VERIFICATION = {
    "clientNamespace": Key("client.namespace.name", "curl"),
    "clientImage": Key("client.image", "docker.io/curlimages/curl:8.16.0"),
    "verifyTimeout": Key("exposures.NAME.verification.timeout", 60),
}
"""Keys without effect where no exposure was verified."""

_LISTS = {
    "gateways": Key("gateways.NAME, a mapping by name", []),
    "waypoints": Key("waypoints.NAME, a mapping by name", []),
    "exposures": Key("exposures.NAME, a mapping by name", []),
}

_EVERYWHERE = {
    "discoveryLabels": Key(
        "exposures.NAME.namespace.discoveryLabels and client.namespace.discoveryLabels",
        {"istio-discovery": "enabled"},
    ),
    "revision": Key("exposures.NAME.gateway.revision and exposures.NAME.waypoint.revision", ""),
    "clusterDomain": Key("exposures.NAME.gateway.clusterDomain", "cluster.local"),
    "trustDomain": Key("exposures.NAME.trustDomain", "cluster.local"),
    "referenceGrants": Key(
        "exposures.NAME.grants and exposures.NAME.gateway.tls.grants", default=False
    ),
    "readyTimeout": Key("exposures.NAME.readyTimeout and client.readyTimeout", 300),
}
"""Keys of the whole stack that are now each entry's."""

_NAMESPACE = {
    "namespace": Key("exposures.NAME.namespace.name", "httpbin"),
    "createNamespace": Key("exposures.NAME.namespace.create", default=True),
}

_SERVICE = {
    "service": Key("exposures.NAME.service.name", "httpbin"),
    "servicePort": Key("exposures.NAME.service.port", 8000),
    "createService": Key("exposures.NAME.service.create", default=True),
    "selector": Key("exposures.NAME.service.selector", {}),
    "canary": Key("exposures.NAME.service.canary", {}),
}

_CONTAINER = {
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
}
"""Keys without effect on a service that was not created."""

_HOSTNAMES = {"hostnames": Key("exposures.NAME.hostnames", ["httpbin.example.com"])}

_RULES = {
    "paths": Key("exposures.NAME.rules[0].paths", ["/status", "/headers"]),
    "rules": Key("exposures.NAME.rules", []),
}

_ROUTES = {
    "grpcRules": Key("exposures.NAME.grpcRules", []),
    "ingressRules": Key("exposures.NAME.ingressRules", []),
}

_POLICIES = {
    "policies": Key("exposures.NAME.policies", []),
    "jwtRules": Key("exposures.NAME.jwtRules", []),
    "requireWaypoint": Key("exposures.NAME.requireWaypoint", default=False),
}

_SHARED = {
    "gateway": Key("exposures.NAME.gateway.existing.entry", ""),
    "waypoint": Key("exposures.NAME.waypoint.existing.entry", ""),
    "ingressUseWaypoint": Key("exposures.NAME.waypoint.ingressUseWaypoint", "service"),
}

_GATEWAY = {
    "serviceType": Key("exposures.NAME.gateway.serviceType", "ClusterIP"),
    "port": Key("exposures.NAME.gateway.port", 80),
    "tls": Key("exposures.NAME.gateway.tls", {}),
    "listeners": Key("exposures.NAME.gateway.listeners", []),
    "allowedRoutes": Key("exposures.NAME.gateway.allowedRoutes", {}),
    "address": Key("exposures.NAME.gateway.address", ""),
    "addressType": Key("exposures.NAME.gateway.addressType", "Hostname"),
    "nameOverride": Key("exposures.NAME.gateway.nameOverride", ""),
    "gatewayClass": Key("exposures.NAME.gateway.gatewayClass", "istio"),
    "gatewayCustomization": Key("exposures.NAME.gateway.customization", {}),
}
"""Keys without effect on an exposure that shared a gateway."""

_WAYPOINT = {
    "waypointFor": Key("exposures.NAME.waypoint.waypointFor", "service"),
    "waypointRoutes": Key("exposures.NAME.waypoint.allowedRoutes", {}),
    "waypointClass": Key("exposures.NAME.waypoint.gatewayClass", "istio-waypoint"),
    "waypointCustomization": Key("exposures.NAME.waypoint.customization", {}),
}
"""Keys without effect on an exposure that shared a waypoint."""

_VERIFY = {
    "verify": Key("exposures.NAME.verification, which is left out for false", default=True),
    "checks": Key(
        "exposures.NAME.verification.checks",
        [{"path": "/headers", "status": 200}, {"path": "/get", "status": 404}],
    ),
}

_ENTRIES = {
    "gateways": {**_NAMESPACE, **_HOSTNAMES, **_GATEWAY},
    "waypoints": {**_NAMESPACE, **_WAYPOINT},
    "exposures": {
        **_NAMESPACE,
        **_SERVICE,
        **_CONTAINER,
        **_HOSTNAMES,
        **_RULES,
        **_ROUTES,
        **_POLICIES,
        **_SHARED,
        **_GATEWAY,
        **_WAYPOINT,
        **_VERIFY,
    },
}
"""Keys that the entries of each list inherit; each has a `name` besides."""

_STACK = {**_CLUSTER, **_METADATA, **_VERIFICATION, **_LISTS, **_EVERYWHERE}

KEYS: Mapping[str, Key] = {**_STACK, **_ENTRIES["exposures"]}
"""Every key of release 2."""

_NAME = {"name": Key("the key of the entry", "")}

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
_CLIENT = "curl"
_ONLY = "exposure"
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
    if key not in KEYS or key in _METADATA:
        return None
    rewrite = "python -m components.stack.rewrite Pulumi.STACK.yaml"
    return f"now {KEYS[key].now} (`{rewrite}` rewrites the file)"


def is_release_2(config: Mapping[str, Any]) -> bool:
    """Whether a stack's keys, without the project's name before them, are those of release 2.

    Values are as in a stack file, or JSON as the engine hands them to a program.
    """
    return any(
        key in KEYS
        and key not in _METADATA
        and (key not in _LISTS or isinstance(_parsed(value, list), list))
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
    listed = {key: _read_entries(faults, key, given.get(key, [])) for key in _LISTS}
    faults.raise_any()
    stack = _set({key: one.default for key, one in KEYS.items()} | given)
    gateways, waypoints, exposures = (_complete(stack, key, listed[key]) for key in _LISTS)
    if not exposures:
        exposures = _complete(stack, "exposures", [{"name": _ONLY}])
    namespaces = _namespaces(faults, stack, exposures, [*gateways, *waypoints])
    faults.raise_any()
    effective = [_effective(entry) for entry in exposures]
    verified = any(entry["verify"] for entry in exposures)
    new = {
        "cluster": _placed(_CLUSTER, stack),
        **_placed(_METADATA, stack),
        "client": _client(stack) if verified else {},
        "namespaces": namespaces,
        "gateways": {one["name"]: _shared_gateway(stack, one) for one in gateways},
        "waypoints": {one["name"]: _shared_waypoint(stack, one) for one in waypoints},
        # The flat outputs were those of the first.
        "primary": exposures[0]["name"] if len(exposures) > 1 else "",
        "exposures": {one["name"]: _exposure(stack, one) for one in effective},
    }
    used = {*_STACK, *(key for one in (*effective, *gateways, *waypoints) for key in one)}
    unused = _unused("", given, used if verified else used - _VERIFICATION.keys())
    for index, (entry, one) in enumerate(zip(listed["exposures"], effective, strict=False)):
        unused += _unused(f"exposures[{index}].", entry, one)
    return Rewritten(_set(new), unused)


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
            value = _parsed(found, keys[key].kind)
            if expected := _expected(key, keys[key], value):
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


def _expected(name: str, key: Key, value: object) -> str:
    """What is expected in place of a value; nothing where it is right."""
    if type(value) is not key.kind:
        return _WORDS[key.kind]
    if name == "ingressUseWaypoint" and value not in ("service", "namespace"):
        return "one of service, namespace"
    may_be_empty = key.default in _UNSET or name in ("discoveryLabels", "paths")
    return "" if may_be_empty or value not in _UNSET else f"{_WORDS[key.kind]} that is not empty"


def _holds_secret(value: object) -> bool:
    """Whether a part of a value is encrypted, which a stack file has as `secure: TEXT`."""
    if isinstance(value, dict):
        return list(value) == ["secure"] or any(map(_holds_secret, value.values()))
    return isinstance(value, list) and any(map(_holds_secret, value))


def _read_entries(faults: Faults, list_: str, found: Sequence[object]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for index, entry in enumerate(found):
        path = f"{list_}[{index}]"
        if not isinstance(entry, dict):
            faults.add(path, f"found {shown(entry)}, expected a mapping")
            continue
        values = _read(faults, f"{path}.", entry, {**_NAME, **_ENTRIES[list_]})
        if not entry.get("name"):
            faults.add(f"{path}.name", "found nothing, expected a string")
        elif any(values.get("name") == other.get("name") for other in entries):
            faults.add(f"{path}.name", f"found {shown(entry['name'])}, which is taken already")
        entries.append(values)
    return entries


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in _UNSET}


def _complete(
    stack: Mapping[str, Any], list_: str, entries: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Entries with what they inherit."""
    inherited = {key: stack[key] for key in _ENTRIES[list_] if key in stack}
    return [_set({**inherited, **entry}) for entry in entries]


def _effective(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An exposure without the keys that have no effect beside others."""
    ignored: set[str] = set()
    if "gateway" in entry:
        ignored |= _GATEWAY.keys()
    if "waypoint" in entry:
        ignored |= _WAYPOINT.keys()
    if not entry["createService"]:
        ignored |= _CONTAINER.keys()
    if not entry["verify"]:
        ignored |= {"checks"}
    return {key: value for key, value in entry.items() if key not in ignored}


def _unused(path: str, given: Mapping[str, Any], used: Iterable[str]) -> list[str]:
    return [f"{path}{key}" for key in _set(given) if key not in used]


def _placed(keys: Mapping[str, Key], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `keys` under the last part of their new paths."""
    return {one.now.split(".")[-1]: values[key] for key, one in keys.items() if key in values}


def _namespaces(
    faults: Faults,
    stack: Mapping[str, Any],
    exposures: Sequence[Mapping[str, Any]],
    proxies: Sequence[Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    namespaces: dict[str, dict[str, Any]] = {}
    for entry in (*exposures, *proxies):
        name, create = entry["namespace"], entry["createNamespace"]
        namespace = {
            "create": create,
            **_discovery(stack),
            # The pods of gateways and waypoints are no workloads of the mesh.
            "ambient": any(name == exposure["namespace"] for exposure in exposures),
        }
        if namespaces.setdefault(name, namespace)["create"] != create:
            faults.add(
                "createNamespace",
                f"found both true and false for namespace {name}, expected one of them",
            )
    return namespaces


def _discovery(stack: Mapping[str, Any]) -> dict[str, Any]:
    return {"discoveryLabels": stack["discoveryLabels"]} if "discoveryLabels" in stack else {}


def _revision(stack: Mapping[str, Any]) -> dict[str, Any]:
    return {"revision": stack["revision"]} if "revision" in stack else {}


def _client(stack: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": _CLIENT,
        "namespace": {"name": stack["clientNamespace"], **_discovery(stack)},
        "image": stack["clientImage"],
        "readyTimeout": stack["readyTimeout"],
    }


def _gateway(stack: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    options = {
        "allowedRoutes": _ALLOWED_ROUTES,
        **_placed(_GATEWAY, entry),
        "clusterDomain": stack["clusterDomain"],
        **_revision(stack),
    }
    if "tls" in options:
        options["tls"] = {**_TLS, "grants": stack["referenceGrants"], **options["tls"]}
    return options


def _waypoint(stack: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**_placed(_WAYPOINT, entry), **_revision(stack)}


def _shared_gateway(stack: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "namespace": _existing(entry["namespace"]),
        **_placed(_HOSTNAMES, entry),
        **_gateway(stack, entry),
        "readyTimeout": stack["readyTimeout"],
    }


def _shared_waypoint(stack: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "namespace": _existing(entry["namespace"]),
        **_waypoint(stack, entry),
        "readyTimeout": stack["readyTimeout"],
    }


def _exposure(stack: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    exposure = {
        "namespace": _existing(entry["namespace"]),
        "service": _service(entry),
        **_placed(_HOSTNAMES, entry),
        "rules": [
            *([{"paths": entry["paths"]}] if "paths" in entry else []),
            *entry.get("rules", []),
        ],
        **_placed(_ROUTES, entry),
        "grants": stack["referenceGrants"],
        "gateway": (
            _existing(entry["gateway"])
            if "gateway" in entry
            else {"name": f"{entry['service']}-gateway", **_gateway(stack, entry)}
        ),
        "waypoint": {
            **(
                _existing(entry["waypoint"])
                if "waypoint" in entry
                else {"name": f"{entry['service']}-waypoint", **_waypoint(stack, entry)}
            ),
            "ingressUseWaypoint": entry["ingressUseWaypoint"] == "namespace",
        },
        **_placed(_POLICIES, entry),
        "trustDomain": stack["trustDomain"],
        "readyTimeout": stack["readyTimeout"],
    }
    if entry["verify"]:
        exposure["verification"] = {"checks": entry["checks"], "timeout": stack["verifyTimeout"]}
    return _set(exposure)


def _service(entry: Mapping[str, Any]) -> dict[str, Any]:
    service = _placed({**_SERVICE, **_CONTAINER}, entry)
    if entry["createService"]:
        service.setdefault("securityContext", _SECURITY_CONTEXT)
        service.setdefault("readinessProbe", {"tcpSocket": {"port": entry["containerPort"]}})
    return service


def _existing(name: str) -> dict[str, Any]:
    return {"existing": {"entry": name}}
