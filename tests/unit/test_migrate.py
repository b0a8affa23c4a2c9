"""Ingresses and VirtualServices in the words of the Gateway API, and what has no equivalent."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from lightkube.resources.core_v1 import Service

from components.checks.faults import InvalidInput
from components.commands.migration import migrate as command
from components.commands.migration.ingress import NO_EQUIVALENT
from components.commands.migration.migrate import checked, from_cluster, from_files, main, migrate
from components.commands.migration.routing import EVERY, Match, Rule, meet, ordered, rank

HOST = "shop.example.com"
NGINX = "nginx.ingress.kubernetes.io/"
PROJECT = "ambient-exposure"


def manifests(text: str) -> command.Objects:
    """Objects, those without a namespace in `shop`."""
    objects: command.Objects = {}
    for one in yaml.safe_load_all(text):
        one["metadata"].setdefault("namespace", "shop")
        objects.setdefault(one["kind"], []).append(one)
    return objects


def path(value: str, kind: str = "Prefix", service: str = "web", port: int | str = 80) -> Any:
    """A path of an Ingress."""
    by = {"name" if isinstance(port, str) else "number": port}
    backend = {"service": {"name": service, "port": by}}
    return {"path": value, "pathType": kind, "backend": backend}


def ingress(*paths: Any, host: str | None = HOST, name: str = "web", **spec: Any) -> dict[str, Any]:
    """An Ingress with one host name; keys with `/` are annotations."""
    annotations = {key: spec.pop(key) for key in [*spec] if "/" in key}
    rule = {"http": {"paths": [*(paths or [path("/")])]}, **({"host": host} if host else {})}
    return {
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "shop", "annotations": annotations},
        "spec": {"ingressClassName": "nginx", "rules": [rule], **spec},
    }


def annotated(*paths: Any, **annotations: str) -> dict[str, Any]:
    """An Ingress with annotations of ingress-nginx, `_` for `-`."""
    named = {f"{NGINX}{key.replace('_', '-')}": value for key, value in annotations.items()}
    return ingress(*paths, **named)


def virtual_service(*http: Any, gateways: Any = ("edge",), **spec: Any) -> dict[str, Any]:
    return {
        "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"hosts": [HOST], "gateways": [*gateways], "http": [*http], **spec},
    }


def gateway(*servers: Any, name: str = "edge") -> dict[str, Any]:
    plain = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
    metadata = {"name": name, "namespace": "shop"}
    return {"kind": "Gateway", "metadata": metadata, "spec": {"servers": [*(servers or [plain])]}}


def to(host: str = "web", port: int | None = 80, **more: Any) -> dict[str, Any]:
    """A destination of a VirtualService."""
    destination: dict[str, Any] = {"host": host, **more.pop("destination", {})}
    if port:
        destination["port"] = {"number": port}
    return {"destination": destination, **more}


def migrated(*objects: Mapping[str, Any], hostnames: Any = ()) -> tuple[dict[str, Any], list[str]]:
    """The configuration, which is accepted, and what is named, without the objects' names."""
    listed: Any = {}
    for one in objects:
        listed.setdefault(one["kind"], []).append(one)
    config, losses = migrate(listed, hostnames)
    if config["exposures"]:
        checked({f"{PROJECT}:{key}": value for key, value in config.items()}, PROJECT)
    return config, [f"{one.field}: {one.value}" for one in losses]


def rules(*objects: Mapping[str, Any], service: str = "web") -> Any:
    """What the gateway does with requests for a Service; nothing may be named."""
    config, losses = migrated(*objects)
    assert losses == []
    return config["exposures"][service].get("ingressRules")


def served(*http: Any) -> Any:
    return rules(virtual_service(*http), gateway())


# Ingress


def test_an_ingress_is_an_exposure_behind_a_gateway() -> None:
    config, losses = migrated(ingress())
    assert losses == []
    assert config == {
        "namespaces": {"shop": {"create": False, "ambient": True}},
        "gateways": {
            "ingress": {
                "namespace": {"existing": {"entry": "shop"}},
                "hostnames": [HOST],
                "serviceType": "LoadBalancer",
            }
        },
        "waypoints": {"shop-waypoint": {"namespace": {"existing": {"entry": "shop"}}}},
        "exposures": {
            "web": {
                "namespace": {"existing": {"entry": "shop"}},
                "service": {"name": "web", "port": 80, "create": False},
                "hostnames": [HOST],
                "rules": [{"paths": ["/"]}],
                "gateway": {"existing": {"entry": "ingress"}},
                "waypoint": {"existing": {"entry": "shop-waypoint"}},
            }
        },
    }


def test_each_service_of_a_host_name_has_its_paths() -> None:
    one = ingress(path("/"), path("/api/", service="api"), path("/health", "Exact", "api"))
    config, losses = migrated(one)
    assert losses == []
    assert "ingressRules" not in config["exposures"]["web"]
    exact = {"path": {"type": "Exact", "value": "/health"}}
    prefix = {"path": {"type": "PathPrefix", "value": "/api"}}
    assert config["exposures"]["api"]["ingressRules"] == [{"matches": [prefix, exact]}]


def test_a_service_has_different_paths_for_different_host_names() -> None:
    config, losses = migrated(
        ingress(path("/x"), host="x.example.com"),
        ingress(path("/y"), host="*.y.example.com", name="other"),
    )
    assert losses == []
    exposure = config["exposures"]["web"]
    assert exposure["hostnames"] == ["x.example.com", "*.y.example.com"]
    (rule,) = exposure["ingressRules"]
    first, second = rule["matches"]
    assert first["path"]["value"] == "/x"
    assert first["headers"] == [
        {
            "type": "RegularExpression",
            "name": "Host",
            "value": r"(x\.example\.com)(:[0-9]+)?",
        }
    ]
    assert second["headers"][0]["value"] == r"(.+\.y\.example\.com)(:[0-9]+)?"


def test_the_same_rules_for_several_host_names_ask_for_none() -> None:
    config, losses = migrated(
        ingress(path("/x"), host="x.example.com"),
        ingress(path("/x"), host="y.example.com", name="other"),
    )
    assert losses == []
    exposure = config["exposures"]["web"]
    assert exposure["hostnames"] == ["x.example.com", "y.example.com"]
    assert exposure["ingressRules"] == [{"paths": ["/x"]}]


def test_a_host_name_is_not_answered_as_a_wildcard_is() -> None:
    wide = ingress(path("/all"), host="*.example.com", name="wide")
    narrow = ingress(path("/one"), host="one.example.com")
    config, losses = migrated(wide, narrow)
    assert config["exposures"]["web"]["hostnames"] == ["*.example.com"]
    assert losses == ["rules: ['/one']"]
    other = ingress(path("/", service="other"), host="other.example.org", name="other")
    config, losses = migrated(wide, narrow, other)
    assert losses == []
    assert config["exposures"]["web"]["hostnames"] == ["*.example.com"]
    assert config["exposures"]["other"]["hostnames"] == ["other.example.org", "one.example.com"]
    rule = config["exposures"]["other"]["ingressRules"][-1]
    assert rule["backendRefs"] == [{"name": "web", "port": 80}]
    (match,) = rule["matches"]
    assert match["headers"][0]["value"] == r"(one\.example\.com)(:[0-9]+)?"


def test_the_listener_of_a_wildcard_serves_narrower_host_names() -> None:
    wide = ingress(path("/all"), host="*.example.com", name="wide")
    narrow = ingress(path("/one", service="one"), host="one.example.com")
    config, losses = migrated(wide, narrow)
    assert losses == []
    assert config["gateways"]["ingress"]["hostnames"] == ["*.example.com"]
    assert config["exposures"]["one"]["hostnames"] == ["one.example.com"]
    for one in (wide, narrow):
        one["metadata"]["annotations"] = {f"{NGINX}ssl-redirect": "false"}
        host = one["spec"]["rules"][0]["host"]
        one["spec"]["tls"] = [{"hosts": [host], "secretName": host.strip("*.")}]
    config, losses = migrated(wide, narrow)
    assert config["gateways"]["ingress"]["hostnames"] == ["*.example.com", "one.example.com"]
    assert losses == ["tls: shop/one.example.com"]


def test_a_default_backend_gets_the_rest_of_its_host_names() -> None:
    config, losses = migrated(
        ingress(path("/api", service="api"), defaultBackend=path("/")["backend"])
    )
    assert "ingressRules" not in config["exposures"]["web"]
    assert losses == ["spec.defaultBackend: {'service': {'name': 'web', 'port': {'number': 80}}}"]


@pytest.mark.parametrize("paths", [(path("/"),), ()])
def test_what_is_for_all_host_names_is_for_those_that_are_given(paths: Any) -> None:
    one = ingress(*paths, host=None)
    if not paths:
        one["spec"] = {"defaultBackend": path("/")["backend"]}
    config, losses = migrated(one)
    assert config["exposures"] == {}
    assert losses == ["spec.rules[0].host: None"]
    config, losses = migrated(one, hostnames=[HOST])
    assert config["exposures"]["web"]["hostnames"] == [HOST]
    assert losses == []


def test_a_port_is_known_by_the_name_that_its_service_gives_it() -> None:
    one = ingress(path("/", port="http"))
    config, losses = migrated(one)
    assert config["exposures"] == {}
    assert losses == ["spec.rules[0].http.paths[0].backend.service.port: {'name': 'http'}"]
    ports = [{"name": "http", "port": 8080}, {"name": "admin", "port": 9090}]
    metadata = {"name": "web", "namespace": "shop"}
    service = {"kind": "Service", "metadata": metadata, "spec": {"ports": ports}}
    config, losses = migrated(one, service)
    assert config["exposures"]["web"]["service"]["port"] == 8080
    assert losses == []


def test_a_second_port_of_a_service_is_named() -> None:
    config, losses = migrated(ingress(path("/"), path("/admin", port=9090)))
    assert config["exposures"]["web"]["service"]["port"] == 80
    assert losses == ["/admin: 9090"]


def test_a_resource_as_backend_is_named() -> None:
    bucket = {"path": "/", "pathType": "Prefix", "backend": {"resource": {"kind": "Bucket"}}}
    assert migrated(ingress(bucket))[1] == [
        "spec.rules[0].http.paths[0].backend.resource: {'kind': 'Bucket'}"
    ]


def test_a_path_of_two_ingresses_is_that_of_the_first() -> None:
    config, losses = migrated(ingress(), ingress(path("/", service="late"), name="late"))
    assert [*config["exposures"]] == ["web"]
    assert losses == ["spec.rules[0].http.paths: /"]


def test_certificates_are_those_of_the_secrets() -> None:
    tls = [{"hosts": ["*.example.com"], "secretName": "wildcard"}]
    config, losses = migrated(ingress(tls=tls))
    assert config["gateways"]["ingress"]["tls"] == {"certificates": {HOST: "wildcard"}}
    assert losses == [f"spec.tls: {HOST}"]
    assert migrated(ingress(tls=[{"secretName": "wildcard"}])) == (config, losses)
    config, losses = migrated(ingress(tls=tls, **{f"{NGINX}ssl-redirect": "false"}))
    assert config["gateways"]["ingress"]["tls"]["redirect"] is False
    assert losses == []
    config, losses = migrated(ingress(tls=tls, ingressClassName="istio"))
    assert config["gateways"]["ingress"]["tls"]["redirect"] is False
    assert losses == []


def test_a_certificate_without_a_secret_is_named() -> None:
    config, losses = migrated(ingress(tls=[{"hosts": [HOST]}]))
    assert "tls" not in config["gateways"]["ingress"]
    assert losses == [f"spec.tls[0]: ['{HOST}']"]


def test_ingresses_of_several_namespaces_share_a_gateway() -> None:
    other = ingress(
        path("/", service="blog"),
        host="blog.example.com",
        tls=[{"hosts": ["blog.example.com"], "secretName": "blog"}],
        **{f"{NGINX}ssl-redirect": "false"},
    )
    other["metadata"]["namespace"] = "blog"
    tls = [{"hosts": [HOST], "secretName": "shop"}]
    config, losses = migrated(ingress(tls=tls, **{f"{NGINX}ssl-redirect": "false"}), other)
    assert losses == []
    assert config["namespaces"]["ingress"] == {"ambient": False}
    assert config["gateways"]["ingress"] == {
        "namespace": {"existing": {"entry": "ingress"}},
        "hostnames": [HOST, "blog.example.com"],
        "serviceType": "LoadBalancer",
        "allowedRoutes": {"namespaces": {"from": "All"}},
        "tls": {
            "certificates": {HOST: "shop/shop", "blog.example.com": "blog/blog"},
            "redirect": False,
            "grants": True,
        },
    }


def test_a_gateway_serves_plaintext_or_https() -> None:
    plain = ingress(path("/", service="www"), host="www.example.com", name="www")
    config, losses = migrated(
        ingress(tls=[{"hosts": [HOST], "secretName": "shop"}], **{f"{NGINX}ssl-redirect": "false"}),
        plain,
    )
    assert [*config["gateways"]] == ["ingress-both", "ingress-http"]
    assert losses == ["hostnames: ['www.example.com']"]


def test_a_service_is_exposed_at_one_gateway() -> None:
    tls = [{"hosts": [HOST], "secretName": "shop"}]
    secure = ingress(tls=tls, **{f"{NGINX}ssl-redirect": "false"})
    config, losses = migrated(secure, ingress(host="www.example.com", name="www"))
    assert [*config["gateways"]] == ["ingress-both"]
    assert losses == ["/: ['shop/web']"]
    # Another one may send requests to it.
    both = ingress(path("/api", service="api"), path("/"), host="www.example.com", name="www")
    config, losses = migrated(secure, both)
    assert losses == ["hostnames: ['www.example.com']"]
    assert config["exposures"]["api"]["ingressRules"] == [
        {"paths": ["/api"]},
        {"paths": ["/"], "backendRefs": [{"name": "web", "port": 80}]},
    ]


@pytest.mark.parametrize(
    ("class_", "value", "found"),
    [
        ("nginx", "/", {"type": "PathPrefix", "value": "/"}),
        ("nginx", "/api", {"type": "PathPrefix", "value": "/api"}),
        ("istio", "/api", {"type": "Exact", "value": "/api"}),
        ("istio", "/api/*", {"type": "PathPrefix", "value": "/api"}),
        ("istio", "/*", {"type": "PathPrefix", "value": "/"}),
    ],
)
def test_a_path_is_what_its_class_makes_of_it(
    class_: str, value: str, found: Mapping[str, str]
) -> None:
    one = ingress(path(value, "ImplementationSpecific"), ingressClassName=class_)
    config, losses = migrated(one)
    (rule,) = config["exposures"]["web"].get("ingressRules", [{"paths": ["/"]}])
    given = [{"type": "PathPrefix", "value": prefix} for prefix in rule.get("paths", [])]
    assert [match["path"] for match in rule.get("matches", [])] + given == [found]
    different = found["type"] == "PathPrefix" and found["value"] != "/"
    assert bool(losses) is different


REWRITTEN = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}


@pytest.mark.parametrize(
    ("value", "target", "prefix", "rewrite"),
    [
        ("/api(/|$)(.*)", "/$2", "/api", REWRITTEN),
        ("/api/(.*)", "/$1", "/api", REWRITTEN),
        ("/api(/|$)(.*)", "/v2/$2", "/api", {**REWRITTEN, "replacePrefixMatch": "/v2"}),
        ("/api(/|$)(.*)", "/api/$2", "/api", None),
        ("/(.*)", "/$1", "/", None),
        ("/api", "/", "/api", {"type": "ReplaceFullPath", "replaceFullPath": "/"}),
        ("/api", "/new/$1", "/api", {"type": "ReplaceFullPath", "replaceFullPath": "/new/"}),
    ],
)
def test_paths_are_rewritten(value: str, target: str, prefix: str, rewrite: Any) -> None:
    (rule,) = rules(annotated(path(value), rewrite_target=target)) or [{"paths": ["/"]}]
    assert rule["paths"] == [prefix]
    filters = [{"type": "URLRewrite", "urlRewrite": {"path": rewrite}}] if rewrite else []
    assert rule.get("filters", []) == filters


def test_a_pattern_is_one_and_named() -> None:
    config, losses = migrated(annotated(path("/v[0-9]/x"), use_regex="true"))
    (rule,) = config["exposures"]["web"]["ingressRules"]
    (match,) = rule["matches"]
    assert match["path"] == {"type": "RegularExpression", "value": "/v[0-9]/x.*"}
    assert losses == ["spec.rules[0].http.paths[0].path: /v[0-9]/x"]
    _, losses = migrated(annotated(path("/v([0-9])/(x+)"), rewrite_target="/$2/$1"))
    assert f"metadata.annotations[{NGINX}rewrite-target]: /$2/$1" in losses


def filters(*paths: Any, **annotations: str) -> Any:
    (rule,) = rules(annotated(*paths, **annotations))
    return rule["filters"]


def test_cross_origin_requests_are_answered_as_by_ingress_nginx() -> None:
    (filter_,) = filters(enable_cors="true")
    assert filter_["cors"] == {
        "allowOrigins": ["*"],
        "allowMethods": ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"],
        "allowHeaders": [
            "DNT",
            "Keep-Alive",
            "User-Agent",
            "X-Requested-With",
            "If-Modified-Since",
            "Cache-Control",
            "Content-Type",
            "Range",
            "Authorization",
        ],
        "allowCredentials": True,
        "maxAge": 1728000,
    }
    (filter_,) = filters(
        enable_cors="true",
        cors_allow_origin="https://a.example.com, https://*.example.org",
        cors_allow_methods="GET",
        cors_allow_headers="X-A",
        cors_expose_headers="X-B",
        cors_allow_credentials="false",
        cors_max_age="60",
    )
    assert filter_["cors"] == {
        "allowOrigins": ["https://a.example.com", "https://*.example.org"],
        "allowMethods": ["GET"],
        "allowHeaders": ["X-A"],
        "exposeHeaders": ["X-B"],
        "allowCredentials": False,
        "maxAge": 60,
    }
    assert rules(annotated(enable_cors="false", cors_max_age="60")) is None


@pytest.mark.parametrize(
    ("annotations", "target"),
    [
        (
            {"permanent_redirect": "https://new.example.com:8443/x"},
            {"statusCode": 301, "scheme": "https", "hostname": "new.example.com", "port": 8443},
        ),
        (
            {"permanent_redirect": "https://new.example.com/x", "permanent_redirect_code": "308"},
            {"statusCode": 308, "scheme": "https", "hostname": "new.example.com"},
        ),
        ({"temporal_redirect": "/x"}, {"statusCode": 302}),
    ],
)
def test_requests_are_redirected(annotations: Any, target: Any) -> None:
    (filter_,) = filters(**annotations)
    whole = {"type": "ReplaceFullPath", "replaceFullPath": "/x"}
    assert filter_["requestRedirect"] == {**target, "path": whole}


@pytest.mark.parametrize("url", ["https://new.example.com$request_uri", "https://a.example.com/?b"])
def test_a_redirect_with_variables_or_a_query_is_named(url: str) -> None:
    assert migrated(annotated(temporal_redirect=url))[1] == [
        f"metadata.annotations[{NGINX}temporal-redirect]: {url}"
    ]


def test_the_root_of_an_application_is_elsewhere() -> None:
    first, rest = rules(annotated(app_root="/login"))
    assert first["matches"] == [{"path": {"type": "Exact", "value": "/"}}]
    assert first["filters"][0]["requestRedirect"] == {
        "path": {"type": "ReplaceFullPath", "replaceFullPath": "/login"},
        "statusCode": 302,
    }
    assert rest == {"paths": ["/"]}


def test_further_annotations_of_ingress_nginx() -> None:
    (filter_,) = filters(upstream_vhost="inside.example.com")
    assert filter_ == {"type": "URLRewrite", "urlRewrite": {"hostname": "inside.example.com"}}
    (filter_,) = filters(x_forwarded_prefix="/api")
    assert filter_["requestHeaderModifier"] == {
        "set": [{"name": "X-Forwarded-Prefix", "value": "/api"}]
    }
    config, losses = migrated(annotated(server_alias="www.example.com, example.com"))
    assert losses == []
    hostnames = [HOST, "www.example.com", "example.com"]
    assert config["exposures"]["web"]["hostnames"] == hostnames
    assert rules(annotated(service_upstream="true")) is None
    config, losses = migrated(annotated(proxy_read_timeout="30"))
    (rule,) = config["exposures"]["web"]["ingressRules"]
    assert rule["timeouts"] == {"request": "30s"}
    assert losses == [f"metadata.annotations[{NGINX}proxy-read-timeout]: 30"]


def canary(**annotations: str) -> Any:
    other = annotated(path("/", service="next"), canary="true", **annotations)
    return rules(other, ingress())


STABLE, NEXT = {"name": "web", "port": 80}, {"name": "next", "port": 80}


def test_a_canary_gets_its_share() -> None:
    assert canary(canary_weight="30") == [
        {"paths": ["/"], "backendRefs": [{**STABLE, "weight": 70}, {**NEXT, "weight": 30}]}
    ]
    assert canary(canary_weight="1", canary_weight_total="1000") == [
        {"paths": ["/"], "backendRefs": [{**STABLE, "weight": 999}, {**NEXT, "weight": 1}]}
    ]


@pytest.mark.parametrize(
    ("annotations", "condition"),
    [
        ({"canary_by_header": "x"}, {"name": "x", "value": "always"}),
        (
            {"canary_by_header": "x", "canary_by_header_value": "1"},
            {"name": "x", "value": "1"},
        ),
        (
            {"canary_by_header": "x", "canary_by_header_pattern": "1|2"},
            {"type": "RegularExpression", "name": "x", "value": "1|2"},
        ),
        (
            {"canary_by_cookie": "x"},
            {"type": "RegularExpression", "name": "Cookie", "value": r"(.*;\s*)?x=always(;.*)?"},
        ),
    ],
)
def test_a_canary_gets_those_who_ask_for_it(annotations: Any, condition: Any) -> None:
    other = annotated(path("/", service="next"), canary="true", **annotations)
    config, losses = migrated(other, ingress())
    assert losses == []
    assert config["exposures"]["next"]["ingressRules"] == [
        {"matches": [{**EVERY, "headers": [condition]}]}
    ]
    assert "ingressRules" not in config["exposures"]["web"]


def test_who_does_not_ask_for_a_canary_gets_none() -> None:
    both = {"canary_by_header": "x", "canary_by_cookie": "y", "canary_weight": "30"}
    never, shared = canary(**both)
    never_by_header = {"name": "x", "value": "never"}
    asked = [match["headers"] for match in never["matches"]]
    always, never_by_cookie = (
        {"type": "RegularExpression", "name": "Cookie", "value": rf"(.*;\s*)?y={value}(;.*)?"}
        for value in ("always", "never")
    )
    assert asked == [
        [never_by_header],
        [always, never_by_header],
        [never_by_cookie, never_by_header],
        [never_by_cookie],
    ]
    assert "backendRefs" not in never
    assert [one["weight"] for one in shared["backendRefs"]] == [70, 30]


def test_a_canary_of_nothing_is_named() -> None:
    other = annotated(path("/next", service="next"), canary="true", canary_weight="30")
    assert migrated(other, ingress())[1] == ["spec.rules[0].http.paths[0]: /next"]


SOURCES = f"metadata.annotations[{NGINX}whitelist-source-range]"
SHUT_OUT = f"metadata.annotations[{NGINX}denylist-source-range]"


def refused(config: Mapping[str, Any], gateway: str = "ingress") -> list[Any]:
    """Whom a gateway refuses: sources and host names."""
    (policy,) = config["gateways"][gateway]["policies"]
    assert policy["action"] == "DENY"
    return [
        (rule["from"][0]["source"], rule["to"][0]["operation"]["hosts"]) for rule in policy["rules"]
    ]


def test_addresses_are_let_in_and_shut_out() -> None:
    ranges = {
        "whitelist_source_range": "10.0.0.0/8, 192.0.2.1",
        "denylist_source_range": "10.1.2.3",
    }
    guarded = annotated(**ranges)
    guarded["spec"]["rules"].append({**guarded["spec"]["rules"][0], "host": "api.example.com"})
    config, losses = migrated(guarded, ingress(host="open.example.com", name="open"))
    hosts = [HOST, f"{HOST}:*", "api.example.com", "api.example.com:*"]
    assert refused(config) == [
        ({"notRemoteIpBlocks": ["10.0.0.0/8", "192.0.2.1"]}, hosts),
        ({"remoteIpBlocks": ["10.1.2.3"]}, hosts),
    ]
    local = {"service": {"spec": {"externalTrafficPolicy": "Local"}}}
    assert config["gateways"]["ingress"]["customization"] == local
    # What tells the gateway the address is another thing now.
    assert losses == [f"{SOURCES}: 10.0.0.0/8, 192.0.2.1", f"{SHUT_OUT}: 10.1.2.3"]


def test_addresses_for_some_of_the_paths_are_named() -> None:
    guarded = annotated(path("/admin"), whitelist_source_range="10.0.0.0/8")
    config, losses = migrated(guarded, ingress(name="open"))
    assert "policies" not in config["gateways"]["ingress"]
    assert losses == [f"{SOURCES}: 10.0.0.0/8"]
    wildcard = annotated(whitelist_source_range="10.0.0.0/8")
    wildcard["spec"]["rules"][0]["host"] = "*.example.com"
    config, losses = migrated(wildcard)
    assert "policies" not in config["gateways"]["ingress"]
    assert losses == [f"{SOURCES}: 10.0.0.0/8"]


@pytest.mark.parametrize(
    ("annotations", "cookie"),
    [
        ({}, {"name": "INGRESSCOOKIE", "path": "/", "ttl": "0s"}),
        (
            {
                "session_cookie_name": "route",
                "session_cookie_path": "/shop",
                "session_cookie_max_age": "3600",
                "session_cookie_expires": "60",
                "affinity_mode": "balanced",
            },
            {"name": "route", "path": "/shop", "ttl": "3600s"},
        ),
    ],
)
def test_sessions_stay_at_their_pod(annotations: dict[str, str], cookie: dict[str, str]) -> None:
    config, losses = migrated(annotated(affinity="cookie", **annotations))
    balanced = config["exposures"]["web"]["trafficPolicy"]["loadBalancer"]
    assert balanced == {"consistentHash": {"httpCookie": cookie}}
    assert losses == []


def test_sessions_that_cannot_stay_as_they_did_are_named() -> None:
    first = annotated(affinity="cookie", affinity_mode="persistent")
    other = annotated(path("/b"), path("/c", service="c"), affinity="cookie")
    other["metadata"] |= {"name": "other"}
    other["metadata"]["annotations"][f"{NGINX}session-cookie-name"] = "b"
    config, losses = migrated(first, other)
    balanced = config["exposures"]["web"]["trafficPolicy"]["loadBalancer"]
    assert balanced["consistentHash"]["httpCookie"]["name"] == "INGRESSCOOKIE"
    assert "trafficPolicy" in config["exposures"]["c"]
    assert losses == [
        f"metadata.annotations[{NGINX}affinity-mode]: persistent",
        f"metadata.annotations[{NGINX}affinity]: cookie",
    ]
    # Without affinity, nobody reads what is said of its cookie.
    assert migrated(annotated(session_cookie_name="b"))[1] == []


@pytest.mark.parametrize("name", [*NO_EQUIVALENT, "not-yet-known"])
def test_an_annotation_without_an_equivalent_is_named(name: str) -> None:
    config, losses = migrated(ingress(**{f"{NGINX}{name}": "5"}))
    assert config["exposures"]
    assert losses == [f"metadata.annotations[{NGINX}{name}]: 5"]


@pytest.mark.parametrize(
    ("annotation", "named"),
    [
        ("cert-manager.io/cluster-issuer", True),
        ("traefik.ingress.kubernetes.io/router.entrypoints", True),
        ("kubectl.kubernetes.io/last-applied-configuration", False),
        ("meta.helm.sh/release-name", False),
        ("kubernetes.io/ingress.class", False),
    ],
)
def test_an_annotation_of_others_is_named_where_it_may_be_about_requests(
    annotation: str, named: Any
) -> None:
    losses = migrated(ingress(**{annotation: "x"}))[1]
    assert losses == ([f"metadata.annotations[{annotation}]: x"] if named else [])


@pytest.mark.parametrize(
    ("annotation", "value", "app", "named"),
    [
        ("backend-protocol", "HTTP", None, False),
        ("backend-protocol", "HTTPS", None, True),
        ("backend-protocol", "GRPC", None, True),
        ("backend-protocol", "GRPC", "kubernetes.io/h2c", False),
        ("force-ssl-redirect", "true", None, True),
    ],
)
def test_what_a_gateway_does_not_know_by_itself_is_named(
    annotation: str, value: str, app: str | None, named: Any
) -> None:
    port = {"port": 80, **({"appProtocol": app} if app else {})}
    metadata = {"name": "web", "namespace": "shop"}
    service = {"kind": "Service", "metadata": metadata, "spec": {"ports": [port]}}
    key = f"{NGINX}{annotation}"
    losses = migrated(ingress(**{key: value}), service)[1]
    assert losses == ([f"metadata.annotations[{key}]: {value}"] if named else [])


# VirtualService


def test_a_virtual_service_is_an_exposure_behind_its_gateway() -> None:
    config, losses = migrated(virtual_service({"route": [to()]}), gateway())
    assert losses == []
    assert config["gateways"] == {
        "edge": {
            "namespace": {"existing": {"entry": "shop"}},
            "hostnames": [HOST],
            "serviceType": "LoadBalancer",
        }
    }
    assert config["exposures"]["web"] == {
        "namespace": {"existing": {"entry": "shop"}},
        "service": {"name": "web", "port": 80, "create": False},
        "hostnames": [HOST],
        "rules": [{"paths": ["/"]}],
        "gateway": {"existing": {"entry": "edge"}},
        "waypoint": {"existing": {"entry": "shop-waypoint"}},
    }


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"uri": {"exact": "/x"}}, {"path": {"type": "Exact", "value": "/x"}}),
        ({"method": {"exact": "GET"}}, {**EVERY, "method": "GET"}),
        (
            {"headers": {"x": {"exact": "1"}}, "queryParams": {"q": {"regex": "a+"}}},
            {
                **EVERY,
                "headers": [{"name": "x", "value": "1"}],
                "queryParams": [{"type": "RegularExpression", "name": "q", "value": "a+"}],
            },
        ),
        (
            {"headers": {"x": {"prefix": "a.b"}}},
            {
                **EVERY,
                "headers": [{"type": "RegularExpression", "name": "x", "value": r"a\.b.*"}],
            },
        ),
        (
            {"headers": {"x": {}}},
            {**EVERY, "headers": [{"type": "RegularExpression", "name": "x", "value": ".*"}]},
        ),
        (
            {"authority": {"exact": HOST}},
            {**EVERY, "headers": [{"name": "Host", "value": HOST}]},
        ),
    ],
)
def test_a_match_of_a_virtual_service(given: Any, found: Match) -> None:
    (rule,) = served({"match": [given], "route": [to()]})
    assert rule["matches"] == [found]


def test_methods_of_a_pattern_are_matches_each() -> None:
    (rule,) = served({"match": [{"method": {"regex": "^(GET|HEAD)$"}}], "route": [to()]})
    assert [match["method"] for match in rule["matches"]] == ["GET", "HEAD"]


@pytest.mark.parametrize(
    "match",
    [
        {"sourceLabels": {"app": "x"}},
        {"sourceNamespace": "x"},
        {"withoutHeaders": {"x": {}}},
        {"ignoreUriCase": True},
        {"scheme": {"exact": "https"}},
        {"port": 8080},
        {"method": {"regex": "G.*"}},
    ],
)
def test_a_match_without_an_equivalent_is_named_and_left_out(match: Any) -> None:
    http = {"match": [match, {"uri": {"exact": "/x"}}], "route": [to()]}
    config, losses = migrated(virtual_service(http), gateway())
    ((key, value),) = match.items()
    value = value["regex"] if key == "method" else value
    assert losses == [f"spec.http[0].match[0].{key}: {value}"]
    (rule,) = config["exposures"]["web"]["ingressRules"]
    assert len(rule["matches"]) == 1


@pytest.mark.parametrize(("prefix", "named"), [("/", False), ("/api", True), ("/api/", True)])
def test_a_prefix_of_letters_is_one_of_segments(prefix: str, named: Any) -> None:
    http = {"match": [{"uri": {"prefix": prefix}}], "route": [to()]}
    losses = migrated(virtual_service(http), gateway())[1]
    assert losses == ([f"spec.http[0].match[0].uri: {prefix}"] if named else [])


def on(value: str, **more: Any) -> dict[str, Any]:
    """A route for an exact path."""
    return {"match": [{"uri": {"exact": value}}], "route": [to()], **more}


@pytest.mark.parametrize(
    ("more", "found"),
    [
        (
            {"rewrite": {"uri": "/y", "authority": "inside.example.com"}},
            {
                "type": "URLRewrite",
                "urlRewrite": {
                    "hostname": "inside.example.com",
                    "path": {"type": "ReplaceFullPath", "replaceFullPath": "/y"},
                },
            },
        ),
        (
            {"redirect": {"uri": "/y", "authority": "new.example.com:8443", "scheme": "https"}},
            {
                "type": "RequestRedirect",
                "requestRedirect": {
                    "statusCode": 301,
                    "scheme": "https",
                    "hostname": "new.example.com",
                    "port": 8443,
                    "path": {"type": "ReplaceFullPath", "replaceFullPath": "/y"},
                },
            },
        ),
        (
            {"headers": {"request": {"set": {"a": "1"}, "remove": ["b"]}}},
            {
                "type": "RequestHeaderModifier",
                "requestHeaderModifier": {"set": [{"name": "a", "value": "1"}], "remove": ["b"]},
            },
        ),
        (
            {"headers": {"response": {"add": {"a": "1"}}}},
            {
                "type": "ResponseHeaderModifier",
                "responseHeaderModifier": {"add": [{"name": "a", "value": "1"}]},
            },
        ),
        (
            {"mirror": {"host": "copy", "port": {"number": 80}}},
            {"type": "RequestMirror", "requestMirror": {"backendRef": {**NEXT, "name": "copy"}}},
        ),
        (
            {"mirrors": [{"destination": to("copy")["destination"], "percentage": {"value": 5}}]},
            {
                "type": "RequestMirror",
                "requestMirror": {"backendRef": {**NEXT, "name": "copy"}, "percent": 5},
            },
        ),
        (
            {"mirror": to("copy")["destination"], "mirrorPercentage": {"value": 0.5}},
            {
                "type": "RequestMirror",
                "requestMirror": {
                    "backendRef": {**NEXT, "name": "copy"},
                    "fraction": {"numerator": 1, "denominator": 200},
                },
            },
        ),
        (
            {
                "corsPolicy": {
                    "allowOrigins": [{"exact": "https://a.example.com"}],
                    "allowMethods": ["GET"],
                    "maxAge": "24h",
                    "allowCredentials": True,
                }
            },
            {
                "type": "CORS",
                "cors": {
                    "allowOrigins": ["https://a.example.com"],
                    "allowMethods": ["GET"],
                    "allowCredentials": True,
                    "maxAge": 86400,
                },
            },
        ),
    ],
)
def test_what_a_virtual_service_does_is_a_filter(more: Any, found: Any) -> None:
    rule, _ = served(on("/x", **more), {"route": [to()]})
    assert rule["filters"] == [found]


def test_a_prefix_is_rewritten() -> None:
    http = {"match": [{"uri": {"prefix": "/v1/"}}], "rewrite": {"uri": "/v2/"}, "route": [to()]}
    config, losses = migrated(virtual_service(http), gateway())
    (rule,) = config["exposures"]["web"]["ingressRules"]
    assert rule["filters"][0]["urlRewrite"] == {
        "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v2"}
    }
    assert losses == ["spec.http[0].match[0].uri: /v1/"]


def test_a_rewrite_of_all_paths_is_named() -> None:
    http = {"rewrite": {"uri": "/v2/"}, "route": [to()]}
    config, losses = migrated(virtual_service(http), gateway())
    assert "ingressRules" not in config["exposures"]["web"]
    assert losses == ["spec.http[0].rewrite.uri: /v2/"]
    losses = migrated(annotated(path("/(.*)"), rewrite_target="/v2/$1"))[1]
    assert losses == [f"metadata.annotations[{NGINX}rewrite-target]: /v2/$1"]


def test_times_and_retries() -> None:
    retries = {
        "attempts": 3,
        "perTryTimeout": "0.5s",
        "retryOn": "gateway-error,connect-failure,409",
        "backoff": "25ms",
    }
    (rule,) = served(on("/x", timeout="90s", retries=retries))
    assert rule["timeouts"] == {"request": "90s", "backendRequest": "500ms"}
    assert rule["retry"] == {"attempts": 3, "codes": [502, 503, 504, 409], "backoff": "25ms"}


@pytest.mark.parametrize(
    ("more", "field", "value"),
    [
        ({"fault": {"abort": {"httpStatus": 500}}}, "fault", {"abort": {"httpStatus": 500}}),
        ({"directResponse": {"status": 503}}, "directResponse", {"status": 503}),
        ({"delegate": {"name": "other"}}, "delegate", {"name": "other"}),
        ({"notYetKnown": 1}, "notYetKnown", 1),
        ({"rewrite": {"uriRegexRewrite": {}}}, "rewrite.uriRegexRewrite", {}),
        ({"redirect": {"redirectCode": 300}}, "redirect.redirectCode", 300),
        (
            {"corsPolicy": {"allowOrigins": [{"regex": ".*"}]}},
            "corsPolicy.allowOrigins[0]",
            {"regex": ".*"},
        ),
        ({"retries": {"attempts": 1, "retryOn": "reset"}}, "retries.retryOn", "reset"),
        (
            {"retries": {"attempts": 1, "retryRemoteLocalities": True}},
            "retries.retryRemoteLocalities",
            True,
        ),
        ({"mirror": {"host": "copy"}}, "mirror.port", None),
        (
            {"corsPolicy": {"unmatchedPreflights": "IGNORE"}},
            "corsPolicy.unmatchedPreflights",
            "IGNORE",
        ),
        (
            {"redirect": {"derivePort": "FROM_REQUEST_PORT"}},
            "redirect.derivePort",
            "FROM_REQUEST_PORT",
        ),
        ({"route": [to("api.example.org")]}, "route[0].destination.host", "api.example.org"),
        ({"route": [to(port=None)]}, "route[0].destination.port", None),
    ],
)
def test_a_route_without_an_equivalent_is_named(more: Any, field: str, value: Any) -> None:
    config, losses = migrated(virtual_service(on("/x", **more), {"route": [to()]}), gateway())
    assert losses == [f"spec.http[0].{field}: {value}"]
    answered = {"directResponse", "delegate", "redirectCode", "route"} & {
        *more,
        *more.get("redirect", {}),
    }
    assert ("ingressRules" not in config["exposures"]["web"]) is bool(answered)


@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_what_is_not_http_is_named(kind: str) -> None:
    spec: Any = {kind: [{"match": [{"port": 1}], "route": []}]}
    assert migrated(virtual_service(**spec), gateway())[1] == [f"spec.{kind}[0]: [{{'port': 1}}]"]


def test_a_delegate_is_named() -> None:
    one = virtual_service({"route": [to()]}, hosts=[], gateways=[])
    assert migrated(one)[1] == ["spec.hosts: None"]


def test_what_some_namespaces_may_see_is_named() -> None:
    one = virtual_service({"route": [to()]}, exportTo=["."])
    assert migrated(one, gateway())[1] == ["spec.exportTo: ['.']"]


def test_weights_are_shares_also_of_services_elsewhere() -> None:
    changed = {"request": {"set": {"a": "1"}}}
    elsewhere = to("web.other.svc.cluster.local", weight=10, headers=changed)
    config, losses = migrated(virtual_service({"route": [to(weight=90), elsewhere]}), gateway())
    assert losses == []
    exposure = config["exposures"]["web"]
    assert exposure["grants"] is True
    modifier = {"set": [{"name": "a", "value": "1"}]}
    assert exposure["ingressRules"] == [
        {
            "paths": ["/"],
            "backendRefs": [
                {"name": "web", "port": 80, "weight": 90},
                {
                    "name": "web",
                    "port": 80,
                    "namespace": "other",
                    "weight": 10,
                    "filters": [
                        {"type": "RequestHeaderModifier", "requestHeaderModifier": modifier}
                    ],
                },
            ],
        }
    ]


def test_a_subset_is_a_service_of_its_own() -> None:
    one = virtual_service({"route": [to(destination={"subset": "v2"})]})
    rule = {
        "kind": "DestinationRule",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"host": "web", "subsets": [{"name": "v2", "labels": {"version": "v2"}}]},
    }
    listed: Any = {"VirtualService": [one], "Gateway": [gateway()], "DestinationRule": [rule]}
    config, losses = migrate(listed)
    assert [*config["exposures"]] == ["web-v2"]
    assert [str(one) for one in losses] == [
        "VirtualService shop/web: spec.http[0].route[0].destination.subset: found 'v2', a version"
        " of a service is a Service of its own. Make Service shop/web-v2 with selector {'version':"
        " 'v2'}"
    ]


def test_the_first_match_decides_though_a_later_one_is_more_exact() -> None:
    user = {"headers": {"x-user": {"exact": "jason"}}}
    config, losses = migrated(
        virtual_service(
            {"match": [user], "route": [to("next")]},
            on("/x"),
            {"match": [{"headers": {"x-user": {"exact": "ann"}}}], "route": [to()]},
        ),
        gateway(),
    )
    assert losses == []
    jason = [{"name": "x-user", "value": "jason"}]
    assert config["exposures"]["next"]["ingressRules"] == [
        {
            "matches": [
                {**EVERY, "headers": jason},
                {"path": {"type": "Exact", "value": "/x"}, "headers": jason},
            ]
        }
    ]


def test_a_rewritten_path_is_so_where_a_later_match_is_more_exact() -> None:
    user = {"uri": {"prefix": "/v1"}, "headers": {"x-user": {"exact": "jason"}}}
    moved = {"match": [user], "rewrite": {"uri": "/v2/"}, "route": [to()]}
    exact, prefix = {"uri": {"exact": "/v1/b"}}, {"uri": {"prefix": "/v1/c"}}
    later = {"match": [exact, prefix], "route": [to()]}
    *rewritten, _ = migrated(virtual_service(moved, later), gateway())[0]["exposures"]["web"][
        "ingressRules"
    ]
    assert [
        (rule["matches"][0]["path"]["value"], rule["filters"][0]["urlRewrite"]["path"])
        for rule in rewritten
    ] == [
        ("/v1", {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v2"}),
        ("/v1/b", {"type": "ReplaceFullPath", "replaceFullPath": "/v2/b"}),
        ("/v1/c", {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/v2/c"}),
    ]


def test_whole_paths_and_prefixes_are_rewritten_each() -> None:
    both = [{"uri": {"exact": "/x"}}, {"uri": {"prefix": "/z/"}}]
    one = virtual_service({"match": both, "rewrite": {"uri": "/y"}, "route": [to()]})
    first, second = migrated(one, gateway())[0]["exposures"]["web"]["ingressRules"]
    assert first["filters"][0]["urlRewrite"]["path"]["replaceFullPath"] == "/y"
    assert second["paths"] == ["/z"]
    assert second["filters"][0]["urlRewrite"]["path"]["replacePrefixMatch"] == "/y"


def test_a_pattern_before_every_other_path_comes_first() -> None:
    pattern = {"match": [{"uri": {"regex": "/v[0-9]"}}], "route": [to("next")]}
    config, losses = migrated(virtual_service(pattern, {"route": [to()]}), gateway())
    assert losses == []
    every = {"path": {"type": "RegularExpression", "value": "/.*"}}
    assert config["exposures"]["web"]["ingressRules"] == [{"matches": [every]}]
    prefix = {"match": [{"uri": {"prefix": "/v/"}}], "route": [to()]}
    losses = migrated(virtual_service(pattern, prefix), gateway())[1]
    assert losses[1:] == ["spec.http[0].match: /v[0-9]"]


def test_what_gateway_and_mesh_do_alike_the_waypoint_does() -> None:
    one = virtual_service(
        on("/x", rewrite={"uri": "/y"}),
        {"route": [to("next")]},
        hosts=[HOST, "web"],
        gateways=["edge", "mesh"],
    )
    config, losses = migrated(one, gateway())
    assert losses == []
    assert [*config["exposures"]] == ["web"]
    exposure = config["exposures"]["web"]
    assert "ingressRules" not in exposure
    first, second = exposure["rules"]
    assert first["filters"][0]["urlRewrite"]["path"]["replaceFullPath"] == "/y"
    assert second == {"paths": ["/"], "backendRefs": [NEXT]}


def test_rules_of_the_mesh_are_the_waypoints() -> None:
    mesh = virtual_service(on("/x", timeout="2s"), {"route": [to()]}, hosts=["web"], gateways=[])
    config, losses = migrated(mesh, ingress())
    assert losses == []
    exact = {"path": {"type": "Exact", "value": "/x"}}
    assert config["exposures"]["web"]["rules"] == [
        {"matches": [exact], "timeouts": {"request": "2s"}},
        {"paths": ["/"]},
    ]
    assert migrated(mesh)[1] == ["rules of the mesh: ['/x', '/']"]
    service = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {}}
    short = {**mesh, "spec": {**mesh["spec"], "hosts": ["web.shop"]}}
    config, losses = migrated(short, ingress(), {"kind": "Service", **service})
    assert losses == []
    assert "timeouts" in config["exposures"]["web"]["rules"][0]
    outside = virtual_service({"route": [to()]}, hosts=["api.example.org"], gateways=[])
    assert migrated(outside)[1] == ["spec.hosts: api.example.org"]


def test_a_match_may_be_for_some_gateways() -> None:
    one = virtual_service(
        {"match": [{"gateways": ["mesh"]}], "route": [to("next")]},
        {"match": [{"gateways": ["shop/edge"]}], "route": [to()]},
        hosts=[HOST, "web"],
        gateways=["edge", "mesh"],
    )
    config, losses = migrated(one, gateway())
    assert losses == []
    assert config["exposures"]["web"]["rules"] == [{"paths": ["/"], "backendRefs": [NEXT]}]


# Gateway


def server(port: int, protocol: str, hosts: Any = ("*",), **tls: Any) -> dict[str, Any]:
    found = {"port": {"number": port, "protocol": protocol}, "hosts": [*hosts]}
    return {**found, **({"tls": tls} if tls else {})}


SECURE = server(443, "HTTPS", mode="SIMPLE", credentialName="shop")


@pytest.mark.parametrize(
    ("servers", "found"),
    [
        ([server(8080, "HTTP")], {"port": 8080}),
        ([SECURE], {"tls": {"certificates": {HOST: "shop"}}}),
        (
            [server(80, "HTTP", httpsRedirect=True), SECURE],
            {"tls": {"certificates": {HOST: "shop"}}},
        ),
        (
            [server(80, "HTTP"), SECURE],
            {"tls": {"certificates": {HOST: "shop"}, "redirect": False}},
        ),
        (
            [server(8443, "HTTPS", mode="MUTUAL", credentialName="shop")],
            {"tls": {"certificates": {HOST: "shop"}, "mode": "MUTUAL", "port": 8443}},
        ),
    ],
)
def test_a_gateway_listens_as_it_did(servers: Any, found: Any) -> None:
    config, losses = migrated(virtual_service({"route": [to()]}), gateway(*servers))
    common = ("namespace", "hostnames", "serviceType")
    edge = config["gateways"]["edge"]
    assert {key: value for key, value in edge.items() if key not in common} == found
    secure = "tls" in found
    assert losses == (["spec.servers[].tls.credentialName: shop"] if secure else [])


def test_host_names_are_those_of_gateway_and_routes() -> None:
    one = virtual_service({"route": [to()]}, hosts=["*.example.com", "other.example.org"])
    servers = server(80, "HTTP", ["shop/a.example.com", "*.b.example.com", "example.net"])
    config, losses = migrated(one, gateway(servers))
    assert losses == []
    assert config["exposures"]["web"]["hostnames"] == ["a.example.com", "*.b.example.com"]
    every = virtual_service({"route": [to()]}, hosts=["*"])
    assert migrated(every, gateway())[1] == ["spec.hosts: *"]
    config, losses = migrated(every, gateway(), hostnames=[HOST])
    assert config["exposures"]["web"]["hostnames"] == [HOST]
    assert losses == []


@pytest.mark.parametrize(
    ("servers", "named"),
    [
        ([server(443, "TLS", mode="PASSTHROUGH")], "spec.servers[0]: TLS PASSTHROUGH"),
        ([server(1, "TCP")], "spec.servers[0]: TCP"),
        ([server(80, "HTTP"), server(81, "HTTP")], "spec.servers[1]: 81"),
        ([server(443, "HTTPS", mode="SIMPLE")], "spec.servers[].tls: {'mode': 'SIMPLE'}"),
        (
            [server(443, "HTTPS", mode="SIMPLE", credentialName="a", cipherSuites=["x"])],
            "spec.servers[].tls.cipherSuites: ['x']",
        ),
    ],
)
def test_a_server_without_an_equivalent_is_named(servers: Any, named: str) -> None:
    assert migrated(virtual_service({"route": [to()]}), gateway(*servers))[1][0] == named


def test_a_gateway_that_is_not_given_is_named() -> None:
    config, losses = migrated(virtual_service({"route": [to()]}))
    assert [*config["gateways"]] == ["edge"]
    assert losses == ["spec.gateways: shop/edge"]


# The order of rules


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (("Prefix", "/a"), ("Prefix", "/a/b"), ("Prefix", "/a/b")),
        (("Prefix", "/a"), ("Prefix", "/ab"), "nothing"),
        (("Prefix", "/a"), ("Exact", "/a/b"), ("Exact", "/a/b")),
        (("Exact", "/a"), ("Exact", "/b"), "nothing"),
        (("Regex", "/[a]"), ("Exact", "/a"), ("Exact", "/a")),
        (("Regex", "/[a]"), ("Exact", "/b"), "nothing"),
        (("Regex", "/[a]"), ("Prefix", "/a"), "unknown"),
        (("Regex", "/[a]"), ("Regex", "/[b]"), "unknown"),
        (("Regex", "/[a]"), ("Prefix", "/"), ("Regex", "/[a]")),
        (("Exact", "/"), ("Prefix", "/a"), "nothing"),
    ],
)
def test_what_two_paths_both_match(one: Any, other: Any, found: Any) -> None:
    types = {"Prefix": "PathPrefix", "Regex": "RegularExpression", "Exact": "Exact"}

    def match(pair: tuple[str, str]) -> Match:
        return {"path": {"type": types[pair[0]], "value": pair[1]}}

    expected = found if isinstance(found, str) else match(found)
    assert meet(match(one), match(other)) == expected
    assert meet(match(other), match(one)) == expected


def test_what_two_matches_both_match() -> None:
    a, b = {"name": "A", "value": "1"}, {"name": "b", "value": "1"}
    one = {**EVERY, "headers": [a], "method": "GET"}
    assert meet(one, {**EVERY, "headers": [b]}) == {**one, "headers": [a, b]}
    assert meet(one, {**EVERY, "method": "PUT"}) == "nothing"
    assert meet(one, {**EVERY, "headers": [{**a, "value": "2"}]}) == "nothing"
    pattern = {"type": "RegularExpression", "name": "a", "value": "[0-9]"}
    assert meet(one, {**EVERY, "headers": [pattern]}) == one
    letters = {**pattern, "value": "[a-z]"}
    assert meet(one, {**EVERY, "headers": [letters]}) == "nothing"
    assert meet({**EVERY, "headers": [pattern]}, {**EVERY, "headers": [letters]}) == "unknown"


PATHS = ("/", "/a", "/a/b", "/ab", "/b")


@st.composite
def matches(draw: st.DrawFn) -> Match:
    kind = draw(st.sampled_from(["PathPrefix", "PathPrefix", "Exact", "RegularExpression"]))
    value = draw(st.sampled_from(PATHS))
    pattern = kind == "RegularExpression"
    match: Match = {"path": {"type": kind, "value": f"{value}[a-z/]*" if pattern else value}}
    if method := draw(st.sampled_from(["", "", "GET", "PUT"])):
        match["method"] = method
    named = draw(st.dictionaries(st.sampled_from("xY"), st.sampled_from("12"), max_size=2))
    if named:
        match["headers"] = [{"name": name, "value": value} for name, value in named.items()]
    return match


def hits(match: Match, path: str, method: str, headers: Mapping[str, str]) -> bool:
    """Whether a match is for a request."""
    kind, value = match["path"]["type"], match["path"]["value"]
    on_path = {
        "Exact": path == value,
        "PathPrefix": f"{path}/".startswith(f"{value.rstrip('/')}/"),
        "RegularExpression": bool(re.fullmatch(value, path)),
    }[kind]
    asked = all(headers.get(one["name"]) == one["value"] for one in match.get("headers", ()))
    return on_path and asked and match.get("method", method) == method


@given(
    st.lists(st.lists(matches(), min_size=1, max_size=2), min_size=1, max_size=5),
    st.sampled_from([*PATHS, "/a/b/c"]),
    st.sampled_from(["GET", "PUT"]),
    st.dictionaries(st.sampled_from("xY"), st.sampled_from("12"), max_size=2),
)
def test_whatever_is_first_decides(
    listed: list[list[Match]], path: str, method: str, headers: Mapping[str, str]
) -> None:
    given_ = [Rule(one, [], [{"rule": index}]) for index, one in enumerate(listed)]
    unordered: list[int] = []
    found = ordered(given_, lambda index, *_: unordered.append(index))
    first = next(
        (one for one in given_ if any(hits(m, path, method, headers) for m in one.matches)), None
    )
    exact = max(
        (
            (rank(match), -place, rule.filters)
            for place, rule in enumerate(found)
            for match in rule.matches
            if hits(match, path, method, headers)
        ),
        default=None,
    )
    assert unordered or (first and first.filters) == (exact and exact[2])


def test_a_rule_that_gets_nothing_is_left_out() -> None:
    def never(*_: object) -> None:
        raise AssertionError

    all_, late = Rule([EVERY], []), Rule([{**EVERY, "method": "GET"}], [])
    assert ordered([all_, late], never) == [all_]


def test_many_conditions_end() -> None:
    found: list[int] = []
    listed = [
        Rule([{**EVERY, "headers": [{"name": f"x-{index}", "value": "1"}]}], [])
        for index in range(12)
    ]
    rules_ = ordered(listed, lambda index, *_: found.append(index))
    assert all(len(rule.matches) <= 64 for rule in rules_)
    assert found
    assert rank(rules_[0].matches[0]) < rank(rules_[0].matches[1])


# The command


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Runs the command in a project; returns its status and both outputs."""
    (tmp_path / "Pulumi.yaml").write_text(f"name: {PROJECT}\n")
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[Any, str, str]:
        monkeypatch.setattr(sys, "argv", ["migrate", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return call


def file(folder: Path, *objects: Any) -> str:
    groups = {"Ingress": "networking.k8s.io/v1", "Service": "v1"}
    documents = [
        {"apiVersion": groups.get(one["kind"], "networking.istio.io/v1"), **one} for one in objects
    ]
    (folder / "manifests.yaml").write_text(yaml.safe_dump_all([None, *documents]))
    return "manifests.yaml"


def test_a_configuration_is_written(run: Any, tmp_path: Path) -> None:
    written = file(tmp_path, ingress())
    status, out, err = run(written)
    assert (status, err) == (0, "")
    assert yaml.safe_load(out)["config"].keys() == {
        f"{PROJECT}:{key}" for key in ("namespaces", "gateways", "waypoints", "exposures")
    }
    assert run(written, "--output", "Pulumi.new.yaml") == (0, "", "")
    assert (tmp_path / "Pulumi.new.yaml").read_text() == out
    status, out, err = run(written, "--output", "Pulumi.new.yaml")
    assert (status, out) == (2, "")
    assert err == "Pulumi.new.yaml: found such a file, expected none\n"


def test_what_is_not_as_it_was_is_a_line_each(run: Any, tmp_path: Path) -> None:
    status, out, err = run(file(tmp_path, annotated(limit_rps="5")))
    assert status == 1
    assert yaml.safe_load(out)
    assert err == (
        f"Ingress shop/web: metadata.annotations[{NGINX}limit-rps]: found '5', it is for each"
        " client, and the limit of a gateway for all of them together. Set gateways.NAME.rateLimit"
        " to what all may send, or have the service limit each\n"
    )


def test_what_the_checks_refuse_is_said(run: Any, tmp_path: Path) -> None:
    status, out, err = run(file(tmp_path, ingress(host="Shop_1")))
    assert status == 2
    assert out
    assert "gateways.ingress.hostnames[0]: found 'Shop_1', expected a DNS name" in err


def test_nothing_to_expose_is_said(run: Any, tmp_path: Path) -> None:
    status, out, err = run(file(tmp_path))
    assert (status, out, err) == (2, "", "nothing was found that could be exposed\n")
    (tmp_path / "manifests.yaml").write_text("a: 1\n")
    status, out, err = run("manifests.yaml")
    assert (status, out) == (2, "")
    assert "found a document without apiVersion, kind and metadata.name" in err


def test_lists_and_namespaces_of_manifests(tmp_path: Path) -> None:
    one, other = ingress(), ingress(name="other")
    del one["metadata"]["namespace"]
    for each in (one, other):
        each["apiVersion"] = "networking.k8s.io/v1"
    knative = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "x"}}
    listed = {"apiVersion": "v1", "kind": "List", "items": [one, other, knative]}
    (tmp_path / "list.json").write_text(json.dumps(listed))
    found = from_files([str(tmp_path / "list.json")], "mine")
    assert [each["metadata"]["namespace"] for each in found["Ingress"]] == ["mine", "shop"]
    assert [*found] == ["Ingress"]


class Cluster:
    """Has Services of two ages, and no other kinds."""

    def list(self, kind: Any, *, namespace: str) -> list[Any]:
        assert namespace == "*"
        if kind is not Service:
            return []
        return [
            Service.from_dict(
                {"metadata": {"name": name, "namespace": "shop", "creationTimestamp": time}}
            )
            for name, time in (("late", "2026-02-01T00:00:00Z"), ("early", "2026-01-01T00:00:00Z"))
        ]


def test_a_cluster_is_read_in_the_order_of_age() -> None:
    client: Any = Cluster()
    found = from_cluster(client, None)
    assert [one["metadata"]["name"] for one in found["Service"]] == ["early", "late"]


def test_a_refused_configuration_is_a_fault() -> None:
    with pytest.raises(InvalidInput, match=r"exposures\.web"):
        checked({f"{PROJECT}:exposures": {"web": {}}}, PROJECT)
