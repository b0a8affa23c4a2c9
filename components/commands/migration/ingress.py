"""What Ingresses do with requests, those of ingress-nginx with its annotations.

https://kubernetes.io/docs/concepts/services-networking/ingress/
https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from .routing import EVERY, ROOT_REWRITTEN, Backend, Edge, Match, Routing, Rule, Services, ordered

_NGINX = "nginx.ingress.kubernetes.io/"
_OLD_CLASS = "kubernetes.io/ingress.class"
_SHARED = "ingress"
"""Namespace of a gateway for Ingresses of several namespaces."""

_OTHERS = ("kubernetes.io/", "kubectl.kubernetes.io/", "meta.helm.sh/", "argocd.argoproj.io/")
"""Annotations that say nothing of requests."""

_NO_EFFECT = {"service-upstream", "enable-access-log", "enable-rewrite-log"}
"""Annotations of ingress-nginx that ask for what a gateway does anyway, or that only write logs."""

_LIMITED = (
    "it is for each client, and the limit of a gateway for all of them together",
    "Set gateways.NAME.rateLimit to what all may send, or have the service limit each",
)
_AUTHENTICATED = (
    "who is asked has to be known to the mesh",
    "Set policies with action CUSTOM and a provider, or have tokens checked by jwtRules",
)
_BALANCED = (
    "pods are chosen by the waypoint",
    "Set trafficPolicy.loadBalancer of the exposure",
)
_CONNECTED = (
    "routes have only limits for whole requests",
    "Set trafficPolicy.connectionPool of the exposure",
)
_SNIPPET = ("it is configuration of NGINX itself", "See what it is for, and write it as rules")
_SIZED = ("Envoy passes bodies on as they come", "The service has to limit what it takes")
_CERTIFIED = ("mutual TLS is an option of a gateway", "Set gateways.NAME.tls.mode")

NO_EQUIVALENT: Mapping[str, tuple[str, str]] = {
    "limit-rps": _LIMITED,
    "limit-rpm": _LIMITED,
    "limit-connections": _LIMITED,
    "limit-burst-multiplier": _LIMITED,
    "limit-whitelist": _LIMITED,
    "limit-rate": _LIMITED,
    "auth-url": _AUTHENTICATED,
    "auth-signin": _AUTHENTICATED,
    "auth-type": _AUTHENTICATED,
    "auth-secret": _AUTHENTICATED,
    "auth-realm": _AUTHENTICATED,
    "auth-response-headers": _AUTHENTICATED,
    "auth-tls-secret": _CERTIFIED,
    "auth-tls-verify-client": _CERTIFIED,
    "affinity-canary-behavior": _BALANCED,
    "session-cookie-domain": _BALANCED,
    "session-cookie-samesite": _BALANCED,
    "session-cookie-secure": _BALANCED,
    "load-balance": _BALANCED,
    "upstream-hash-by": _BALANCED,
    "proxy-connect-timeout": _CONNECTED,
    "proxy-send-timeout": _CONNECTED,
    "proxy-next-upstream": (
        "a gateway tries again where a connection fails",
        "Set retry of the rule, where the cluster's HTTPRoutes have it",
    ),
    "proxy-next-upstream-tries": (
        "a gateway tries a request three times at most",
        "Set retry of the rule, where the cluster's HTTPRoutes have it",
    ),
    "proxy-body-size": _SIZED,
    "client-body-buffer-size": _SIZED,
    "proxy-buffering": _SIZED,
    "proxy-buffer-size": _SIZED,
    "proxy-request-buffering": _SIZED,
    "configuration-snippet": _SNIPPET,
    "server-snippet": _SNIPPET,
    "stream-snippet": _SNIPPET,
    "ssl-passthrough": (
        "a gateway of protocol TLS passes it on",
        "Give the service a gateway of its own, by service.protocol: tls",
    ),
    "from-to-www-redirect": (
        "it is a host name of its own",
        "Add it to the hostnames, with an ingressRule that redirects",
    ),
    "mirror-target": (
        "it is a URL, and a mirror is a Service",
        "Add a filter RequestMirror to the rule, with a backendRef",
    ),
    "default-backend": (
        "a gateway answers for a Service without endpoints itself, with 503",
        "Leave it out",
    ),
    "custom-http-errors": ("a gateway passes on what the service answers", "Leave it out"),
}
"""Annotations of ingress-nginx without an equivalent: why, and what to do instead."""

_ORIGINS = "*"
_METHODS = "GET, PUT, POST, DELETE, PATCH, OPTIONS"
_HEADERS = (
    "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,"
    "Authorization"
)
_AGE = "1728000"


class _Unlike(Exception):  # noqa: N818  (nothing went wrong)
    """A value that has no equivalent: why, and what to do instead."""


class _Annotations:
    """Those of an Ingress; what nobody asked for is named in the end."""

    def __init__(self, ingress: Mapping[str, Any], routing: Routing) -> None:
        self.subject = _name(ingress)
        self._all: Mapping[str, str] = ingress["metadata"].get("annotations") or {}
        self._asked = {_OLD_CLASS, *(f"{_NGINX}{name}" for name in _NO_EFFECT)}
        self._routing = routing

    def get(self, name: str, default: str = "") -> str:
        """The value of an annotation of ingress-nginx."""
        self._asked.add(f"{_NGINX}{name}")
        return self._all.get(f"{_NGINX}{name}", default)

    def on(self, name: str, *, default: bool = False) -> bool:
        """Whether one says `true`."""
        return self.get(name, str(default).lower()) == "true"

    def lose(self, name: str, why: str, instead: str) -> None:
        """Name one of ingress-nginx that is not as it was."""
        key = f"{_NGINX}{name}"
        where = f"metadata.annotations[{key}]"
        self._routing.lose(self.subject, where, self._all.get(key), why, instead)

    def rest(self) -> None:
        """Name what has no equivalent."""
        for key in sorted(self._all.keys() - self._asked):
            name = key.removeprefix(_NGINX)
            if key != name:
                unknown = ("nothing here is like it", "See what it is for, and write it as rules")
                self.lose(name, *NO_EQUIVALENT.get(name, unknown))
            elif not key.startswith(_OTHERS):
                self._routing.lose(
                    self.subject,
                    f"metadata.annotations[{key}]",
                    self._all[key],
                    "what reads it does not look at Gateways",
                    "If it does, put it into annotations of the stack",
                )


def translate(
    ingresses: Sequence[Mapping[str, Any]],
    services: Services,
    everywhere: Sequence[str],
    routing: Routing,
) -> None:
    """Add what Ingresses do; those without a host name are for the host names `everywhere`."""
    reader = _Reader(ingresses, services, everywhere, routing)
    annotated = [(one, _Annotations(one, routing)) for one in ingresses]
    canaries = [(one, said) for one, said in annotated if said.on("canary")]
    for ingress, said in annotated:
        if (ingress, said) not in canaries:
            reader.add(ingress, said)
    for ingress, said in canaries:
        reader.share(ingress, said)
    reader.judge()
    for ingress, said in annotated:
        if (ingress, said) not in canaries:  # of which the controller reads nothing else
            said.rest()


class _Reader:
    """Reads one Ingress after the other, knowing which host names have certificates."""

    def __init__(
        self,
        ingresses: Sequence[Mapping[str, Any]],
        services: Services,
        everywhere: Sequence[str],
        routing: Routing,
    ) -> None:
        self._services, self._everywhere, self._routing = services, everywhere, routing
        spaces: dict[str, set[str]] = {}
        self._secrets: dict[tuple[str, str], str] = {}
        self._plain: set[tuple[str, str]] = set()
        self._sources: dict[tuple[Edge, str], list[tuple[_Annotations, dict[str, list[str]]]]] = {}
        for ingress in ingresses:
            class_ = _class(ingress)
            spaces.setdefault(class_, set()).add(ingress["metadata"]["namespace"])
            self._read_tls(ingress, class_)
        self._spaces = {
            class_: min(places) if len(places) == 1 else _SHARED
            for class_, places in spaces.items()
        }
        if _SHARED in self._spaces.values():
            routing.made.add(_SHARED)
        self._several = len(spaces) > 1

    def _read_tls(self, ingress: Mapping[str, Any], class_: str) -> None:
        """Remember the Secrets of host names, and for which plaintext is served, too."""
        said = _Annotations(ingress, Routing())
        redirects = said.on("ssl-redirect", default=_is_nginx(class_))
        plain = not redirects and not said.on("force-ssl-redirect")
        for index, tls in enumerate(ingress["spec"].get("tls") or []):
            hosts = tls.get("hosts") or []
            if not (secret := tls.get("secretName")):
                self._routing.lose(
                    said.subject,
                    f"spec.tls[{index}]",
                    hosts,
                    "it names no Secret, for which the controller had a certificate of its own",
                    "Name a Secret there, and run this again",
                )
                continue
            for host in _hosts(ingress, self._everywhere):
                if not hosts or any(_covers(named, host) for named in hosts):
                    place = f"{ingress['metadata']['namespace']}/{secret}"
                    self._secrets.setdefault((class_, host), place)
                    if plain:
                        self._plain.add((class_, host))

    def _edge(self, ingress: Mapping[str, Any], host: str, said: _Annotations) -> Edge:
        class_ = _class(ingress)
        name = f"ingress-{class_}" if class_ and self._several else "ingress"
        place = self._spaces[class_]
        secret = self._secrets.get((class_, host))
        said.get("ssl-redirect")
        if said.on("force-ssl-redirect") and not secret:
            said.lose(
                "force-ssl-redirect",
                "what ends TLS stands before the gateway, which does not know of it",
                "Redirect there, or give the gateway a certificate",
            )
        if not secret:
            return Edge(name, place)
        edge = Edge(name, place, "SIMPLE", (class_, host) not in self._plain)
        if edge.redirect and _is_nginx(class_):
            self._routing.lose(
                said.subject,
                "spec.tls",
                host,
                "plaintext is redirected to HTTPS with status 301, not 308",
                "Have clients that send anything but GET ask for https:// themselves",
            )
        self._routing.certificates[edge, host] = secret
        return edge

    def add(self, ingress: Mapping[str, Any], said: _Annotations) -> None:
        """Add what an Ingress does that is no canary."""
        spec = ingress["spec"]
        rules: list[dict[str, Any]] = [*(spec.get("rules") or [])]
        if (default := spec.get("defaultBackend")) and not rules:
            rules = [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": default}]}}]
            default = None
        filters = [*_filters(said)]
        limits = _limits(said)
        sources, cookie = _sources(said), _cookie(said)
        aliases = [one.strip() for one in said.get("server-alias").split(",") if one.strip()]
        for index, rule in enumerate(rules):
            where = f"spec.rules[{index}]"
            hosts = [rule["host"], *aliases] if rule.get("host") else self._everywhere
            if not hosts:
                self._routing.lose(
                    said.subject,
                    f"{where}.host",
                    None,
                    "a gateway serves host names that are known",
                    "Run this again with --hostname for each",
                )
            listed = [
                one
                for number, path in enumerate((rule.get("http") or {}).get("paths") or [])
                for one in self._rules(ingress, said, f"{where}.http.paths[{number}]", path)
            ]
            if root := said.get("app-root"):
                listed.insert(0, _redirect(_exact("/"), 302, path=_full(root)))
            everything = any(EVERY in one.matches for one in listed)
            if default and not everything:
                path = {"path": "/", "pathType": "Prefix", "backend": default}
                listed += self._rules(ingress, said, "spec.defaultBackend", path)
            for one in listed:
                one.filters = [*one.filters, *filters]
                one.limits = {} if one.redirects else limits
                for backend in one.backends if cookie else ():
                    self._stay(said, backend, cookie)
            for host in hosts:
                edge = self._edge(ingress, host, said)
                self._sources.setdefault((edge, host), []).append((said, sources))
                self._add(said, where, edge, host, listed)
        if default and rules:
            self._routing.lose(
                said.subject,
                "spec.defaultBackend",
                default,
                "it gets what no rule matches for the host names of this Ingress alone",
                "A host name that it shall serve beside needs an exposure",
            )

    def _stay(self, said: _Annotations, backend: Backend, cookie: dict[str, str]) -> None:
        """Let sessions stay at a pod of a Service, for which there is one cookie."""
        if self._routing.sessions.setdefault(backend.place, cookie) != cookie:
            said.lose(
                "affinity",
                f"another Ingress has another cookie for Service {'/'.join(backend.place)}",
                "Give both the same",
            )

    def judge(self) -> None:
        """Let in by their addresses those who may ask for a host name."""
        for (edge, host), given in self._sources.items():
            _, sources = given[0]
            several = any(sources != others for _, others in given)
            for said, ranges in given:
                for name in filter(said.get, _RANGES) if ranges else ():
                    if several or host.startswith("*"):
                        said.lose(
                            name,
                            f"a policy for {host} is for all of its paths, and for no wildcard",
                            "Set policies of the gateway, with paths or the names of all hosts",
                        )
                    else:
                        said.lose(
                            name,
                            "the gateway sees the address that a connection comes from, which"
                            " externalTrafficPolicy: Local keeps",
                            "Where proxies stand before it, set trustedProxies to their number",
                        )
            if sources and not several and not host.startswith("*"):
                self._routing.sources[edge, host] = sources

    def _add(
        self, said: _Annotations, where: str, edge: Edge, host: str, rules: Sequence[Rule]
    ) -> None:
        """Add rules for a host, but for matches that an earlier Ingress has."""
        there = self._routing.sites.get((edge, host), [])
        for rule in rules:
            taken = [match for match in rule.matches if any(match in one.matches for one in there)]
            for match in taken:
                self._routing.lose(
                    said.subject,
                    f"{where}.http.paths",
                    match["path"]["value"],
                    f"another rule for {host} has this path already, and gets its requests",
                    "Leave it out",
                )
            rest = [match for match in rule.matches if match not in taken]
            if rest:
                one = Rule(rest, rule.backends, rule.filters, rule.limits)
                self._routing.add(edge, host, [one])

    def _rules(
        self, ingress: Mapping[str, Any], said: _Annotations, where: str, path: Mapping[str, Any]
    ) -> Iterator[Rule]:
        """What a path of an Ingress stands for."""
        backend = self._backend(ingress, said, where, path.get("backend") or {})
        if backend is None:
            return
        value, kind = path.get("path") or "/", path.get("pathType") or "ImplementationSpecific"
        if kind == "ImplementationSpecific" and _class(ingress) == "istio":
            # Istio's own form: a prefix ends with an asterisk, all else is exact.
            ended = re.fullmatch(r"(.*)[./]\*", value)
            value, kind = (ended[1], kind) if ended else (value, "Exact")
        match, rewrite = self._match(said, where, value or "/", kind)
        prefix = said.get("x-forwarded-prefix")
        told = [_set_header("X-Forwarded-Prefix", prefix)] if prefix else []
        yield Rule([match], [backend], [*rewrite, *told])

    def _match(
        self, said: _Annotations, where: str, value: str, kind: str
    ) -> tuple[Match, list[dict[str, Any]]]:
        """The match of a path, and the filter that rewrites it."""
        target, host = said.get("rewrite-target"), said.get("upstream-vhost")
        rewrite: dict[str, Any] = {"hostname": host} if host else {}
        pattern = said.on("use-regex") or bool(target)
        captured = re.fullmatch(_CAPTURING, value) if pattern else None
        if captured:
            match = _prefix(captured["prefix"])
            if (kept := _kept(target, captured)) is not None:
                rewrite |= _shortened(said, match, captured["prefix"], kept)
                target = ""
        elif pattern and re.search(r"[][()*+?^$|\\]", value):
            ends = value.removeprefix("^")
            whole = ends[:-1] if ends.endswith("$") else f"{ends}.*"
            match = {"path": {"type": "RegularExpression", "value": whole}}
            self._routing.lose(
                said.subject,
                f"{where}.path",
                value,
                "patterns tell the cases of letters apart, and Istio tries them after all other"
                " paths",
                "See that no other path of the host name gets its requests",
            )
        else:
            match = self._plain_match(said, where, value, kind)
        if "(" not in value:
            target = re.sub(r"\$\d", "", target)  # what no group has captured is empty
        if "$" in target:
            said.lose(
                "rewrite-target",
                "a rewritten path keeps either nothing or all that follows a prefix",
                "Have the service take the path as it is, or write a rule for each path",
            )
        elif target:
            rewrite["path"] = _full(target)
        return match, [{"type": "URLRewrite", "urlRewrite": rewrite}] if rewrite else []

    def _plain_match(self, said: _Annotations, where: str, value: str, kind: str) -> Match:
        """The match of a path that is no pattern."""
        if kind == "ImplementationSpecific" and value != "/":
            self._routing.lose(
                said.subject,
                f"{where}.pathType",
                kind,
                f"it is the prefix {value} now, which ends at a '/'",
                f"See that nobody asks for paths like {value.rstrip('/')}x",
            )
        return _exact(value) if kind == "Exact" else _prefix(value)

    def _backend(
        self, ingress: Mapping[str, Any], said: _Annotations, where: str, found: Mapping[str, Any]
    ) -> Backend | None:
        place = ingress["metadata"]["namespace"]
        service = found.get("service")
        if not service:
            self._routing.lose(
                said.subject,
                f"{where}.backend.resource",
                found.get("resource"),
                "an exposure has a Service",
                "Put a Service before it",
            )
            return None
        wanted = service.get("port") or {}
        port = self._services.port(
            place, service["name"], wanted.get("number", wanted.get("name", ""))
        )
        if port is None:
            self._routing.lose(
                said.subject,
                f"{where}.backend.service.port",
                wanted,
                f"Service {place}/{service['name']} is not known, nor the number of this port",
                "Give the Service's manifest, too, or write the number",
            )
            return None
        backend = Backend(place, service["name"], port)
        self._protocol(said, backend)
        return backend

    def _protocol(self, said: _Annotations, backend: Backend) -> None:
        spoken = said.get("backend-protocol", "HTTP").upper()
        expected = {"GRPC": ("grpc", "h2c", "http2"), "HTTP": None}
        if spoken not in expected:
            said.lose(
                "backend-protocol",
                "the gateway speaks plain HTTP to the service, inside the mesh encrypted by it",
                "Have the service listen for HTTP, or make a BackendTLSPolicy",
            )
        elif (names := expected[spoken]) and self._services.protocol(backend) not in names:
            said.lose(
                "backend-protocol",
                "Istio goes by the Service's port",
                f"Set appProtocol: kubernetes.io/h2c of port {backend.port} of Service"
                f" {backend.namespace}/{backend.service}",
            )

    def share(self, ingress: Mapping[str, Any], said: _Annotations) -> None:
        """Add what a canary gets of the requests that another Ingress is for."""
        for name in ("canary-by-header", "canary-by-header-value", "canary-by-header-pattern"):
            said.get(name)
        for index, rule in enumerate(ingress["spec"].get("rules") or []):
            for number, path in enumerate((rule.get("http") or {}).get("paths") or []):
                where = f"spec.rules[{index}].http.paths[{number}]"
                backend = self._backend(ingress, said, where, path["backend"])
                hosts = [rule["host"]] if rule.get("host") else self._everywhere
                main = [
                    (key, one)
                    for key, rules in self._routing.sites.items()
                    for one in rules
                    if key[1] in hosts and self._is_main(one, path)
                ]
                if not main or backend is None:
                    self._routing.lose(
                        said.subject,
                        where,
                        path.get("path"),
                        "no other Ingress has the host name and this path",
                        "Add that one to the manifests",
                    )
                    continue
                for key, one in main:
                    rules = self._routing.sites[key]
                    place = rules.index(one)
                    # A header decides before a cookie, both before the weight.
                    shared = ordered([*_canary(one, backend, said), one], lambda *_: None)
                    rules[place : place + 1] = shared

    def _is_main(self, rule: Rule, path: Mapping[str, Any]) -> bool:
        captured = re.fullmatch(_CAPTURING, path.get("path") or "/")
        value = captured["prefix"] if captured else path.get("path") or "/"
        return bool(rule.backends) and any(
            match in (_prefix(value), _exact(value)) for match in rule.matches
        )


_CAPTURING = r"(?P<prefix>/[^][()*+?^$|\\]*?)(?P<slash>\(/\|\$\)|/\??)?\(\.\*\)\$?"
"""A path whose rest is kept, such as `/api(/|$)(.*)`."""


def _shortened(said: _Annotations, match: Match, prefix: str, kept: str) -> dict[str, Any]:
    """The path of a filter that has `kept` in the place of a prefix."""
    if match == EVERY and kept:
        said.lose("rewrite-target", *ROOT_REWRITTEN)
        return {}
    if kept == prefix.rstrip("/"):
        return {}
    return {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": kept or "/"}}


def _kept(target: str, captured: re.Match[str]) -> str | None:
    """What takes the place of the prefix before the rest of a path; None where it does not."""
    kept = re.fullmatch(r"(?P<path>[^$]*?)/?\$(?P<group>\d)", target)
    group = "2" if captured["slash"] == "(/|$)" else "1"
    return kept["path"] if kept and kept["group"] == group else None


def _canary(main: Rule, canary: Backend, said: _Annotations) -> Iterator[Rule]:
    """The rules before that of the others, whose requests are shared from now on."""

    def only(backend: Backend, header: Mapping[str, str]) -> Rule:
        matches = [{**match, "headers": [header]} for match in main.matches]
        return Rule(matches, [backend], main.filters, main.limits)

    stable, cookie = main.backends[0], said.get("canary-by-cookie")
    weight = int(said.get("canary-weight", "0"))
    total = int(said.get("canary-weight-total", "100"))
    if name := said.get("canary-by-header"):
        if pattern := said.get("canary-by-header-pattern"):
            yield only(canary, {"type": "RegularExpression", "name": name, "value": pattern})
        elif value := said.get("canary-by-header-value"):
            yield only(canary, {"name": name, "value": value})
        else:
            yield only(canary, {"name": name, "value": "always"})
            if cookie or weight:
                yield only(stable, {"name": name, "value": "never"})
    if cookie:
        for backend, value in ((canary, "always"), (stable, "never"))[: 2 if weight else 1]:
            pattern = rf"(.*;\s*)?{re.escape(cookie)}={value}(;.*)?"
            yield only(backend, {"type": "RegularExpression", "name": "Cookie", "value": pattern})
    if weight:
        shares = (stable._replace(weight=total - weight), canary._replace(weight=weight))
        main.backends = [*shares]


def _filters(said: _Annotations) -> Iterator[dict[str, Any]]:
    """The filters of all rules of an Ingress."""
    for name, translated in _TRANSLATED.items():
        if value := said.get(name):
            try:
                yield from translated(value, said)
            except _Unlike as unlike:
                said.lose(name, *unlike.args)


def _limits(said: _Annotations) -> dict[str, Any]:
    seconds = said.get("proxy-read-timeout")
    if not seconds:
        return {}
    said.lose(
        "proxy-read-timeout",
        "it was for the time between two parts of an answer, and is for the whole answer now",
        "Where answers take longer, or are streams, take out the rules' timeouts",
    )
    return {"timeouts": {"request": f"{int(seconds.removesuffix('s'))}s"}}


_RANGES = {
    "whitelist-source-range": "notRemoteIpBlocks",
    "allowlist-source-range": "notRemoteIpBlocks",
    "denylist-source-range": "remoteIpBlocks",
}
"""Annotations that let in or shut out addresses, as the source of what is denied."""


def _sources(said: _Annotations) -> dict[str, list[str]]:
    """Who is refused, as the sources of an AuthorizationPolicy that denies."""
    found: dict[str, list[str]] = {}
    for name, field in _RANGES.items():
        if listed := [one.strip() for one in said.get(name).split(",") if one.strip()]:
            found[field] = listed
    return found


def _cookie(said: _Annotations) -> dict[str, str]:
    """The cookie that keeps a session at its pod; empty for none."""
    names = ("session-cookie-max-age", "session-cookie-expires")
    age = next(filter(None, [said.get(name) for name in names]), "0")
    name = said.get("session-cookie-name", "INGRESSCOOKIE")
    path = said.get("session-cookie-path", "/")
    if said.get("affinity") != "cookie":
        return {}
    if said.get("affinity-mode", "balanced") != "balanced":
        said.lose(
            "affinity-mode",
            "pods that come get some of the sessions of the others",
            "Keep what belongs to a session where every pod finds it",
        )
    return {"name": name, "path": path, "ttl": f"{age}s"}


def _cors(enabled: str, said: _Annotations) -> Iterator[dict[str, Any]]:
    listed = {
        "allowOrigins": said.get("cors-allow-origin", _ORIGINS),
        "allowMethods": said.get("cors-allow-methods", _METHODS),
        "allowHeaders": said.get("cors-allow-headers", _HEADERS),
        "exposeHeaders": said.get("cors-expose-headers"),
    }
    age = int(said.get("cors-max-age", _AGE))
    credentials = said.on("cors-allow-credentials", default=True)
    if enabled != "true":
        return
    cors: dict[str, Any] = {
        key: [one.strip() for one in value.split(",") if one.strip()]
        for key, value in listed.items()
        if value
    }
    yield {
        "type": "CORS",
        "cors": {**cors, "allowCredentials": credentials, "maxAge": age},
    }


def _moved(code: int, code_name: str) -> Callable[[str, _Annotations], Iterator[dict[str, Any]]]:
    def redirect(url: str, said: _Annotations) -> Iterator[dict[str, Any]]:
        status = int(said.get(code_name, str(code)))
        if "$" in url:
            raise _Unlike("it holds variables of NGINX", "Write the redirect as an ingressRule")
        parts = urlsplit(url)
        target: dict[str, Any] = {"statusCode": status}
        if parts.scheme:
            target["scheme"] = parts.scheme
        if parts.hostname:
            target["hostname"] = parts.hostname
        if parts.port:
            target["port"] = parts.port
        if parts.query:
            raise _Unlike("a redirect keeps the query as it is", "Leave it out of the URL")
        yield {"type": "RequestRedirect", "requestRedirect": {**target, "path": _full(parts.path)}}

    return redirect


_TRANSLATED: Mapping[str, Callable[[str, _Annotations], Iterator[dict[str, Any]]]] = {
    "enable-cors": _cors,
    "permanent-redirect": _moved(301, "permanent-redirect-code"),
    "temporal-redirect": _moved(302, "temporal-redirect-code"),
}
"""Annotations of ingress-nginx that are filters of all rules of an Ingress."""


def _redirect(match: Match, status: int, **fields: Any) -> Rule:
    filter_ = {"type": "RequestRedirect", "requestRedirect": {**fields, "statusCode": status}}
    return Rule([match], [], [filter_])


def _set_header(name: str, value: str) -> dict[str, Any]:
    return {
        "type": "RequestHeaderModifier",
        "requestHeaderModifier": {"set": [{"name": name, "value": value}]},
    }


def _full(path: str) -> dict[str, Any]:
    return {"type": "ReplaceFullPath", "replaceFullPath": path or "/"}


def _exact(path: str) -> Match:
    return {"path": {"type": "Exact", "value": path}}


def _prefix(path: str) -> Match:
    return {"path": {"type": "PathPrefix", "value": path.rstrip("/") or "/"}}


def _name(ingress: Mapping[str, Any]) -> str:
    return f"Ingress {ingress['metadata']['namespace']}/{ingress['metadata']['name']}"


def _class(ingress: Mapping[str, Any]) -> str:
    annotations = ingress["metadata"].get("annotations") or {}
    return str(ingress["spec"].get("ingressClassName") or annotations.get(_OLD_CLASS) or "")


def _is_nginx(class_: str) -> bool:
    """Whether a class is that of ingress-nginx, as that of an Ingress without one may be."""
    return "nginx" in class_ or not class_


def _hosts(ingress: Mapping[str, Any], everywhere: Sequence[str]) -> Iterator[str]:
    """The host names of an Ingress."""
    for rule in ingress["spec"].get("rules") or [{}]:
        yield from [rule["host"]] if rule.get("host") else everywhere
    aliases: str = (ingress["metadata"].get("annotations") or {}).get(f"{_NGINX}server-alias", "")
    yield from (one.strip() for one in aliases.split(",") if one.strip())


def _covers(named: str, host: str) -> bool:
    """Whether a host name of a certificate is for another one."""
    return named == host or (named.startswith("*.") and host.partition(".")[2] == named[2:])
