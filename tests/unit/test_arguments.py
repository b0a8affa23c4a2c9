"""Arguments that components refuse, each fault by its path, before anything is registered."""

import copy
from collections.abc import Callable, Iterator
from typing import Any, cast

import pulumi
import pytest

from components import (
    AdoptedService,
    AmbientExposure,
    Client,
    IngressGateway,
    InvalidInput,
    Namespace,
    Probe,
    Waypoint,
    WaypointBinding,
    Workload,
    ingress_route,
    waypoint_route,
)
from components.exposure.arguments import AmbientExposureArgs
from components.exposure.rules import SCHEMA
from tests.unit import test_gateway_api_rules as specs
from tests.unit.conftest import Run

NAME = "expected a DNS label: lower-case letters, digits and '-', 1 to 63 characters"
LETTER = NAME.replace(" label:", " label that starts with a letter:")
HOST = (
    "expected a DNS name like 'httpbin.example.com' or '*.example.com': lower case, no port or path"
)
PATH = "expected a path that starts with '/' and has no '//', '/./', '/../', '%2F' or '#'"
PORT = "expected a port from 1 to 65535"
UNPRIVILEGED = "expected a port from 1024 to 65535"
IMAGE = "expected an image reference like 'docker.io/curlimages/curl:8.16.0'"
SECONDS = "expected seconds from 1 to 3600"
KEY = "expected a key like 'app' or 'example.com/app', the name behind '/' at most 63 characters"
LABEL = (
    "expected letters, digits, '-', '_' and '.', a letter or digit at both ends, at most 63"
    " characters"
)
SOME = "expected at least one"
NAMED = "expected a name in each of its"
BY_IT = ": they are merged by it"

Component = Callable[[str, Any], object]

SELF_SIGNED = {"issuer": "self-signed"}


def frontend(mode: str = "AllowValidOnly", port: int | None = None) -> dict[str, Any]:
    """Certificates of clients checked by a ConfigMap, at every port of HTTPS or at one alone."""
    authority = {"group": "", "kind": "ConfigMap", "name": "clients"}
    tls = {"validation": {"caCertificateRefs": [authority], "mode": mode}}
    alone = {"default": {}, "perPort": [{"port": port, "tls": tls}]}
    return {**SELF_SIGNED, "frontend": alone if port else {"default": tls}}


GATEWAY = {"name": "edge", "namespace": "edge", "host": "a", "port": 80, "url": "a", "urls": ["a"]}

VALID: dict[Component, dict[str, Any]] = {
    Namespace: {"name": "shop"},
    Workload: {
        "name": "shop",
        "namespace": "shop",
        "image": "shop:1",
        "port": 80,
        "container_port": 8080,
    },
    AdoptedService: {"name": "shop", "namespace": "shop"},
    Waypoint: {"name": "shop-waypoint", "namespace": {"name": "shop"}},
    WaypointBinding: {
        "namespace": "shop",
        "waypoint": {"name": "shared", "namespace": "waypoints"},
    },
    IngressGateway: {"namespace": {"name": "edge"}, "hostnames": ["*.example.com"]},
    waypoint_route: {
        "name": "shop",
        "namespace": "shop",
        "service": "shop",
        "port": 80,
        "rules": [{"paths": ["/api"]}],
    },
    ingress_route: {
        "name": "shop",
        "namespace": "shop",
        "service": "shop",
        "port": 80,
        "hostnames": ["shop.example.com"],
        "gateway": "edge",
        "gateway_namespace": "edge",
    },
    Client: {"namespace": {"name": "curl"}, "image": "curl:1"},
    Probe: {
        "name": "shop-probe",
        "namespace": "curl",
        "account": "curl",
        "image": "curl:1",
        "urls": ["http://edge"],
        "hostnames": ["shop.example.com"],
        "checks": [{"path": "/", "status": 200}],
        "subject": "a",
    },
    AmbientExposure: {
        "namespace": {"name": "shop", "discovery_labels": {"istio-discovery": "enabled"}},
        "service": {"name": "shop", "port": 80, "image": "shop:1", "container_port": 8080},
        "hostnames": ["shop.example.com"],
        "rules": [{"paths": ["/api"]}],
        "gateway": {"service_type": "LoadBalancer", "port": 80},
        "waypoint": {},
        "verification": {
            "client": {"namespace": "curl", "account": "curl", "image": "curl:1"},
            "checks": [{"path": "/api?page=1", "status": 404}],
        },
    },
}
ADOPTED = {"name": "shop", "port": 80, "create": False}

TITLES: dict[Component, str] = {ingress_route: "ingress route", waypoint_route: "waypoint route"}
"""What a fault of a function's arguments is about; of a component, it is the component."""

Case = tuple[Component, str, Any, str]
"""A component, the path of a field, its value (`...`: left out), and the fault; where this is of
another path, it stands in front."""

OWN = "is for one of its own, found beside existing"

INVALID: list[Case] = [
    (Namespace, "name", 1, "found 1, expected a string"),
    (Namespace, "name", "Shop", f"found 'Shop', {NAME}"),
    (Namespace, "create", "no", "found 'no', expected true or false"),
    (
        Namespace,
        "discovery_labels",
        {"a b": "c"},
        f"discovery_labels['a b']: found 'a b', {KEY}",
    ),
    (Namespace, "discovery_labels", ["a"], "found ['a'], expected a mapping"),
    (
        Namespace,
        "labels",
        {},
        "found an unknown key, expected one of name, create, discovery_labels, ambient",
    ),
    (Workload, "image", ..., "found nothing, expected a string"),
    (Workload, "image", "Shop", f"found 'Shop', {IMAGE}"),
    (Workload, "image", "https://shop", f"found 'https://shop', {IMAGE}"),
    (Workload, "port", 0, f"found 0, {PORT}"),
    (Workload, "container_port", 443, f"found 443, {UNPRIVILEGED}"),
    (Workload, "container_port", 65536, f"found 65536, {PORT}"),
    (Workload, "replicas", -1, "found -1, expected an integer from 0 to 1000"),
    (Workload, "replicas", "2", "found '2', expected an integer"),
    (Workload, "protocol", "udp", "found 'udp', expected one of http, grpc, h2c, ws, tls, tcp"),
    (Workload, "args", "-v", "found '-v', expected a list"),
    (Workload, "args", [1], "args[0]: found 1, expected a string"),
    (Workload, "env", {"A": 1}, "env['A']: found 1, expected a string"),
    (Workload, "ready_timeout", 0, f"found 0, {SECONDS}"),
    (AdoptedService, "name", "Shop", f"found 'Shop', {NAME}"),
    (AdoptedService, "namespace", ..., "found nothing, expected a string"),
    (AdoptedService, "port", 80, "found an unknown key, expected one of name, namespace, waypoint"),
    (
        Waypoint,
        "name",
        "none",
        "found 'none', expected another name: in Istio's labels 'none' means that there is no"
        " waypoint",
    ),
    (
        Waypoint,
        "waypoint_for",
        "services",
        "found 'services', expected one of service, workload, all, none (did you mean service?)",
    ),
    (
        Waypoint,
        "allowed_routes",
        {"namespaces": {"from": "any"}},
        "allowed_routes.namespaces.from: found 'any', expected one of All, Selector, Same",
    ),
    (Waypoint, "revision", "-", f"found '-', {LABEL}"),
    (WaypointBinding, "waypoint", "shared", "found 'shared', expected a mapping"),
    (
        WaypointBinding,
        "waypoint.namespace",
        ...,
        "waypoint: expected entry, or name and namespace of the waypoint",
    ),
    (WaypointBinding, "waypoint.name", "A", f"found 'A', {LETTER}"),
    (Waypoint, "name", "1st", f"found '1st', {LETTER}"),
    (Workload, "name", "1st", f"found '1st', {LETTER}"),
    (WaypointBinding, "ingress_use_waypoint", "all", "found 'all', expected true or false"),
    (Workload, "waypoint", "shared", "found 'shared', expected a mapping"),
    (
        AdoptedService,
        "waypoint",
        {},
        "waypoint: expected entry, or name and namespace of the waypoint",
    ),
    (Waypoint, "namespace", "shop", "found 'shop', expected a mapping"),
    (Waypoint, "namespace", ..., "found nothing, expected a mapping"),
    (Waypoint, "namespace.existing", {"name": "a"}, f"namespace.name: {OWN}"),
    (Waypoint, "ready_timeout", 3601, f"found 3601, {SECONDS}"),
    (IngressGateway, "namespace.name", "Edge", f"found 'Edge', {NAME}"),
    (
        IngressGateway,
        "name",
        "g" * 58,
        f"found '{'g' * 58}', after which istiod names the Service '{'g' * 58}-istio' (64"
        f" characters), {LETTER}. Choose another name, or set name_override",
    ),
    (
        IngressGateway,
        "name",
        "1st",
        f"found '1st', after which istiod names the Service '1st-istio' (9 characters), {LETTER}."
        " Choose another name, or set name_override",
    ),
    (
        AmbientExposure,
        "waypoint",
        {"name": "shop"},
        "waypoint.name: found 'shop', for which istiod makes a Service 'shop': it is one of the"
        " exposure's own. Choose another",
    ),
    (
        AmbientExposure,
        "gateway",
        {"name_override": "shop"},
        "gateway.name_override: found 'shop', for which istiod makes a Service 'shop': it is one of"
        " the exposure's own. Choose another",
    ),
    (
        IngressGateway,
        "namespace",
        {"existing": {}},
        "namespace.existing: expected either entry or name of the namespace",
    ),
    (
        IngressGateway,
        "namespace",
        {"existing": {"name": "A"}},
        f"namespace.existing.name: found 'A', {NAME}",
    ),
    (IngressGateway, "ready_timeout", 0, f"found 0, {SECONDS}"),
    (WaypointBinding, "namespace", "a.b", f"found 'a.b', {NAME}"),
    (IngressGateway, "hostnames", [], f"found [], {SOME}"),
    (IngressGateway, "hostnames", "a.example.com", "found 'a.example.com', expected a list"),
    (IngressGateway, "hostnames", ["A.b"], f"hostnames[0]: found 'A.b', {HOST}"),
    (IngressGateway, "hostnames", ["a.b", "a.b"], "hostnames[1]: a.b stands there already"),
    (
        IngressGateway,
        "service_type",
        "loadbalancer",
        "found 'loadbalancer', expected one of ClusterIP, LoadBalancer, NodePort (did you mean"
        " LoadBalancer?)",
    ),
    (IngressGateway, "address", "192.0.2.1", "needs service_type LoadBalancer, which gives it"),
    (AmbientExposure, "gateway.address", "a", "found 'a', expected an IP address"),
    (
        IngressGateway,
        "listeners",
        [{"name": "a", "port": 90}],
        "listeners[0].protocol: found nothing, expected a string",
    ),
    (
        IngressGateway,
        "tls",
        {},
        "tls.certificates: found none for *.example.com, expected its Secret, an issuer_ref, or"
        " issuer: self-signed",
    ),
    (
        IngressGateway,
        "tls",
        {"certificates": {"*.example.com": "a", "b.example.com": "b"}},
        "tls.certificates['b.example.com']: is none of the host names",
    ),
    (
        IngressGateway,
        "tls",
        {"certificates": {"*.example.com": "a/b/c"}},
        "tls.certificates['*.example.com']: found 'a/b/c', expected a Secret, 'name' or"
        " 'namespace/name'",
    ),
    (
        IngressGateway,
        "tls",
        {"certificates": {"*.example.com": "A/b"}},
        "tls.certificates['*.example.com']: found 'A/b', expected a Secret, 'name' or"
        " 'namespace/name'",
    ),
    (
        IngressGateway,
        "tls",
        {"issuer": "self-signed", "port": 80},
        "tls.port: found 80, which is port too",
    ),
    (
        IngressGateway,
        "tls",
        {"issuer": "self-signed", "mode": "mutual"},
        "tls.mode: found 'mutual', expected one of SIMPLE, MUTUAL, OPTIONAL_MUTUAL (did you mean"
        " MUTUAL?)",
    ),
    (
        IngressGateway,
        "tls",
        {**frontend(), "mode": "SIMPLE"},
        "tls.mode: found SIMPLE beside frontend: clients show certificates",
    ),
    (
        IngressGateway,
        "tls",
        {**SELF_SIGNED, "frontend": {"default": {}}},
        "tls.frontend: found no validation: clients would show no certificate",
    ),
    *(
        (
            IngressGateway,
            "tls",
            {**frontend("AllowInsecureFallback"), "mode": mode},
            "tls.frontend.default.validation.mode: found AllowInsecureFallback beside mode"
            f" {mode}, by which Istio goes. Leave one of them out",
        )
        for mode in ("MUTUAL", "OPTIONAL_MUTUAL")
    ),
    (
        IngressGateway,
        "tls",
        {**frontend("AllowInsecureFallback", 443), "mode": "MUTUAL"},
        "tls.frontend.perPort[0].tls.validation.mode: found AllowInsecureFallback beside mode"
        " MUTUAL, by which Istio goes. Leave one of them out",
    ),
    (
        IngressGateway,
        "tls",
        frontend("AllowValidOnly", 8443),
        "tls.frontend.perPort[0].port: found 8443, expected a port of HTTPS, which the gateway has",
    ),
    (
        IngressGateway,
        "tls",
        {"issuer": "letsencrypt"},
        "tls.issuer: found 'letsencrypt', expected one of self-signed",
    ),
    (
        IngressGateway,
        "customization",
        {"deployment": {"metadata": {"namespace": "b"}}},
        "customization.deployment.metadata.namespace: found a change of it, which istiod refuses:"
        " leave it out",
    ),
    (
        IngressGateway,
        "customization",
        {"service": {"spec": {"selector": {}}}},
        "customization.service.spec.selector: found a change of it, which istiod refuses: leave it"
        " out",
    ),
    (
        IngressGateway,
        "customization",
        {"horizontalPodAutoscaler": {"spec": {"minReplicas": 2}}},
        "customization.horizontalPodAutoscaler.spec.maxReplicas: found nothing, expected a number:"
        " without it istiod allows one pod",
    ),
    (
        IngressGateway,
        "customization",
        {"service": "a"},
        "customization.service: found 'a', expected a mapping",
    ),
    (waypoint_route, "rules", [], f"found [], {SOME}"),
    (waypoint_route, "rules[0].paths[0]", "api", f"found 'api', {PATH}"),
    (waypoint_route, "port", "80", "found '80', expected an integer"),
    (
        waypoint_route,
        "grpc_rules",
        [{}],
        "found both rules and grpc_rules, expected one of them",
    ),
    (ingress_route, "hostnames", ["shop/"], f"hostnames[0]: found 'shop/', {HOST}"),
    (ingress_route, "gateway_namespace", ..., "found nothing, expected a string"),
    (ingress_route, "listener_port", 0, f"found 0, {PORT}"),
    (ingress_route, "ready_timeout", 0, f"found 0, {SECONDS}"),
    (Client, "namespace", ..., "found nothing, expected a mapping"),
    (Client, "namespace.name", "A", f"found 'A', {NAME}"),
    (Client, "pod", {"volumes": [{}]}, f"found {{'volumes': [{{}}]}}, {NAMED} volumes{BY_IT}"),
    (Client, "image", "A B", f"found 'A B', {IMAGE}"),
    (
        Client,
        "account",
        "a",
        "found an unknown key, expected one of name, namespace, image, pod, ready_timeout",
    ),
    (Probe, "checks", [], f"found [], {SOME}"),
    (Probe, "checks[0].status", "200", "found '200', expected an integer"),
    (
        Probe,
        "checks[0].method",
        "get",
        "found 'get', expected one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS (did you mean"
        " GET?)",
    ),
    (
        Probe,
        "checks[0].headers",
        {"x y": "a"},
        "checks[0].headers['x y']: found 'x y', expected the name of a header, at least 1"
        " character",
    ),
    (
        Probe,
        "checks[0].headers",
        {"x": "a\nb"},
        "checks[0].headers['x']: found 'a\\nb', expected a single line",
    ),
    (
        Probe,
        "checks[0].headers",
        {"Host": "a"},
        "checks[0].headers['Host']: found it beside hostnames, one of which each request carries",
    ),
    (Probe, "checks[0].response_body", "a\nb", "found 'a\\nb', expected a single line"),
    (
        Probe,
        "pod",
        {"containers": [{"resources": {}}]},
        f"found {{'containers': [{{'resources': {{}}}}]}}, {NAMED} containers{BY_IT}",
    ),
    (Probe, "timeout", 0, f"found 0, {SECONDS}"),
    (Probe, "subject", ..., "found nothing, expected a string"),
    (AmbientExposure, "namespace", ..., "found nothing, expected a mapping"),
    (AmbientExposure, "namespace.name", "Shop", f"found 'Shop', {NAME}"),
    (
        AmbientExposure,
        "namespace",
        {"existing": {"name": "shop"}, "create": False},
        f"namespace.create: {OWN}",
    ),
    (
        AmbientExposure,
        "namespace",
        {"existing": {"name": "shop", "entry": "shop"}},
        "namespace.existing: expected either entry or name of the namespace",
    ),
    (AmbientExposure, "service.name", "s" * 64, f"found '{'s' * 64}', {LETTER}"),
    (AmbientExposure, "service.name", "1shop", f"found '1shop', {LETTER}"),
    (AmbientExposure, "service.port", "80", "found '80', expected an integer"),
    (AmbientExposure, "service.image", ..., "found nothing, expected it for a service to deploy"),
    (AmbientExposure, "service.image", "", f"found '', {IMAGE}"),
    (
        AmbientExposure,
        "service.container_port",
        ...,
        "found nothing, expected it for a service to deploy",
    ),
    (AmbientExposure, "service.container_port", 443, f"found 443, {UNPRIVILEGED}"),
    (
        AmbientExposure,
        "service.selector",
        {"app": "shop"},
        "is for a service that is adopted; this one is deployed",
    ),
    (
        AmbientExposure,
        "service",
        ADOPTED | {"image": "shop:1"},
        "service.image: is for a service to deploy; this one is adopted",
    ),
    (
        AmbientExposure,
        "service",
        ADOPTED | {"canary": {"image": "shop:2", "weight": 1}},
        "service.canary: is for a service to deploy; this one is adopted",
    ),
    (
        AmbientExposure,
        "service.canary",
        {"image": "shop:2", "weight": 101},
        "service.canary.weight: found 101, expected an integer from 0 to 100",
    ),
    (
        AmbientExposure,
        "service.canary",
        {"weight": 1},
        "service.canary.image: found nothing, expected a string",
    ),
    (AmbientExposure, "hostnames", [], f"found [], {SOME}"),
    (AmbientExposure, "hostnames[0]", "shop/", f"found 'shop/', {HOST}"),
    (AmbientExposure, "hostnames", ["a.b", "a.b"], "hostnames[1]: a.b stands there already"),
    (AmbientExposure, "rules", ..., "found neither rules nor grpc_rules, expected one of them"),
    (AmbientExposure, "rules[0].paths", [], f"found [], {SOME}"),
    (AmbientExposure, "rules[0].paths[0]", "api", f"found 'api', {PATH}"),
    (
        AmbientExposure,
        "rules[0].timeouts",
        {"request": "fast"},
        "rules[0].timeouts.request: found 'fast', expected a duration like '1h30m', '10s' or"
        " '500ms'",
    ),
    (AmbientExposure, "gateway.port", 65536, f"found 65536, {PORT}"),
    (AmbientExposure, "gateway.gateway_class", "Istio", f"found 'Istio', {NAME}"),
    (AmbientExposure, "gateway.cluster_domain", "a b", f"found 'a b', {HOST}"),
    (
        AmbientExposure,
        "gateway.address_type",
        "IPAddress",
        "found IPAddress beside service_type LoadBalancer, which reports external addresses",
    ),
    (
        AmbientExposure,
        "gateway.tls",
        {},
        "gateway.tls.certificates: found none for shop.example.com, expected its Secret, an"
        " issuer_ref, or issuer: self-signed",
    ),
    (
        AmbientExposure,
        "gateway.tls",
        {"mode": "MUTUAL", "certificates": {"shop.example.com": "a"}},
        "verification: found beside gateway.tls.mode MUTUAL: its client has no certificate to show."
        " Leave it out, or use OPTIONAL_MUTUAL",
    ),
    *(
        (
            AmbientExposure,
            "gateway.tls",
            tls,
            "verification: found beside gateway.tls.frontend: its client has no certificate to"
            " show. Leave it out, or use OPTIONAL_MUTUAL",
        )
        for tls in (frontend(), frontend(port=443))
    ),
    (
        AmbientExposure,
        "gateway",
        {"existing": GATEWAY, "port": 80},
        f"gateway.port: {OWN}",
    ),
    (
        AmbientExposure,
        "gateway",
        {"existing": {"name": "edge"}},
        "gateway.existing: expected entry, name and namespace, or the reference of an"
        " IngressGateway",
    ),
    (
        AmbientExposure,
        "gateway",
        {"existing": {"name": "edge", "namespace": "edge", "host": "edge.example.com"}},
        "gateway.existing: expected entry, name and namespace, or the reference of an"
        " IngressGateway",
    ),
    (
        AmbientExposure,
        "gateway",
        {"existing": {**GATEWAY, "port": 0}},
        f"gateway.existing.port: found 0, {PORT}",
    ),
    (
        AmbientExposure,
        "gateway",
        {"existing": {**GATEWAY, "urls": "a"}},
        "gateway.existing.urls: found 'a', expected a list",
    ),
    (
        AmbientExposure,
        "waypoint",
        {"existing": {"name": "a", "namespace": "b"}, "revision": "a"},
        f"waypoint.revision: {OWN}",
    ),
    (
        AmbientExposure,
        "waypoint",
        {"existing": {"name": "none", "namespace": "b"}},
        "waypoint.existing.name: found 'none', expected another name: in Istio's labels 'none'"
        " means that there is no waypoint",
    ),
    (
        AmbientExposure,
        "waypoint",
        {"existing": {"name": "a"}},
        "waypoint.existing: expected entry, or name and namespace of the waypoint",
    ),
    (
        AmbientExposure,
        "waypoint",
        {"binds": "namespace"},
        "waypoint.binds: found 'namespace', expected one of Namespace, Service (did you mean"
        " Namespace?)",
    ),
    (
        AmbientExposure,
        "waypoint",
        {"binds": "Service", "waypoint_for": "all"},
        "waypoint.waypoint_for: found 'all', expected 'service', or binds: Namespace, which binds"
        " the pods as well",
    ),
    (
        AmbientExposure,
        "waypoint",
        {"binds": "Service", "ingress_use_waypoint": True},
        "waypoint.ingress_use_waypoint: is for all Services of a namespace, expected it beside"
        " binds: Namespace",
    ),
    (
        AmbientExposure,
        "ingress_use_waypoint",
        True,
        "found an unknown key, expected one of namespace, service, hostnames, rules, grpc_rules,"
        " ingress_rules, weights, grants, gateway, waypoint, traffic_policy, policies, jwt_rules,"
        " require_waypoint, trust_domain, verification, ready_timeout (did you mean"
        " require_waypoint?)",
    ),
    (AmbientExposure, "grants", 1, "found 1, expected true or false"),
    (
        AmbientExposure,
        "policies",
        [{"name": "a", "action": "DENY", "rules": [{}]}] * 2,
        "policies[1].name: found 'a', which is taken already",
    ),
    (
        AmbientExposure,
        "policies",
        [{"name": "1", "action": "DENY", "rules": [{}]}, {"action": "DENY", "rules": [{}]}],
        "policies[1].name: found '1', which is taken already",
    ),
    (
        AmbientExposure,
        "policies",
        [{"name": "waypoint-only", "action": "DENY", "rules": [{}]}],
        "policies[0].name: found 'waypoint-only', which is taken already",
    ),
    (AmbientExposure, "jwt_rules", [], f"found [], {SOME}"),
    (AmbientExposure, "waypoint.gateway_class", "", f"found '', {NAME}"),
    *(
        (
            AmbientExposure,
            "waypoint.waypoint_for",
            passes,
            f"found {passes!r}, expected 'service' or 'all': the gateway's requests are to a"
            " Service, and would pass by the waypoint and its rules",
        )
        for passes in ("workload", "none")
    ),
    (
        AmbientExposure,
        "policies",
        [{"action": "ALLOW"}],
        "policies[0].rules: found nothing, expected a list",
    ),
    (
        AmbientExposure,
        "jwt_rules",
        [{}],
        "jwt_rules[0]: found neither issuer nor jwksUri, expected one of them",
    ),
    (AmbientExposure, "trust_domain", "a/b", f"found 'a/b', {HOST}"),
    (AmbientExposure, "ready_timeout", 0, f"found 0, {SECONDS}"),
    (AmbientExposure, "verification.timeout", -1, f"found -1, {SECONDS}"),
    (AmbientExposure, "verification.client.image", "A B", f"found 'A B', {IMAGE}"),
    (AmbientExposure, "verification.client.image", ..., "found nothing, expected a string"),
    (AmbientExposure, "verification.image", "A B", f"found 'A B', {IMAGE}"),
    (
        AmbientExposure,
        "verification.pod",
        {"initContainers": [{}]},
        f"found {{'initContainers': [{{}}]}}, {NAMED} initContainers{BY_IT}",
    ),
    (AmbientExposure, "verification.checks", ..., "found nothing, expected a list"),
    (AmbientExposure, "verification.checks[0].status", ..., "found nothing, expected an integer"),
    (AmbientExposure, "verification.checks[0]", "/api", "found '/api', expected a mapping"),
    (AmbientExposure, "verification.checks", [], f"found [], {SOME}"),
    (
        AmbientExposure,
        "verification.checks[0].path",
        "#",
        "found '#', expected a path that starts with '/', a query allowed",
    ),
    (
        AmbientExposure,
        "verification.checks[0].status",
        99,
        "found 99, expected an integer from 100 to 599",
    ),
    (
        AmbientExposure,
        "verification.checks",
        [{"path": "/apis", "status": 200}],
        "verification.checks[0]: found /apis to be answered 200, but the waypoint lets through only"
        " /api. Change the rules or the check",
    ),
]


def put(args: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of arguments with another value at `path`, or without one."""
    args = copy.deepcopy(args)
    *steps, last = path.replace("[", ".").replace("]", "").split(".")
    holder: Any = args
    for step in steps:
        holder = holder[int(step) if step.isdigit() else step]
    key = int(last) if last.isdigit() else last
    if value is ...:
        del holder[key]
    else:
        holder[key] = value
    return args


def changed(component: Component, path: str, value: Any) -> dict[str, Any]:
    """Valid arguments with another value at `path`, or without one."""
    return put(VALID[component], path, value)


def refused(component: Component, args: dict[str, Any]) -> list[str]:
    """The faults for which a component is not even made."""
    with pytest.raises(InvalidInput) as found:
        component("shop", args)
    heading, *lines = str(found.value).splitlines()
    assert heading == f"{TITLES.get(component, component.__name__)} 'shop':"
    return [line.removeprefix("  ") for line in lines]


@pytest.mark.parametrize("component", VALID)
def test_right_arguments_pass(run: Run, component: Component) -> None:
    graph = run(lambda: cast("None", component("shop", VALID[component])), addresses=("a",)).graph
    assert any(key.partition("/")[2].startswith("shop") for key in graph)


@pytest.mark.parametrize(("component", "path", "value", "fault"), INVALID)
def test_a_wrong_argument_is_named_by_its_path(
    component: Component, path: str, value: Any, fault: str
) -> None:
    (found,) = refused(component, changed(component, path, value))
    assert found in (fault, f"{path}: {fault}")


def test_others_may_bring_the_port_whose_clients_are_checked(run: Run) -> None:
    everybody = {"namespaces": {"from": "All"}}
    args = {
        **changed(IngressGateway, "tls", frontend("AllowValidOnly", 8443)),
        "allowed_listeners": everybody,
    }
    assert run(lambda: cast("None", IngressGateway("edge", cast("Any", args)))).graph


@pytest.mark.parametrize(
    "tls",
    [
        {**frontend(), "mode": "OPTIONAL_MUTUAL"},
        frontend("AllowInsecureFallback"),
        {**frontend(), "port": 8443, "frontend": frontend(port=443)["frontend"]},
        {
            **SELF_SIGNED,
            "frontend": {
                **frontend()["frontend"],
                "perPort": frontend("AllowInsecureFallback", 443)["frontend"]["perPort"],
            },
        },
    ],
)
def test_a_client_without_certificate_may_prove_what_lets_it_pass(
    run: Run, tls: dict[str, Any]
) -> None:
    served = {"certificateRefs": [{"name": "admin"}]}
    admin = {"name": "admin", "port": 443, "protocol": "HTTPS", "tls": served}
    gateway = {"tls": tls, "listeners": [admin] if "port" in tls else []}
    args = changed(AmbientExposure, "gateway", gateway)
    assert run(lambda: cast("None", AmbientExposure("shop", cast("Any", args)))).graph


def test_other_origins_are_for_the_waypoint_where_the_gateway_judges() -> None:
    cors = {"type": "CORS", "cors": {"allowOrigins": ["https://example.com"]}}
    args = changed(AmbientExposure, "ingress_rules", [{"paths": ["/"], "filters": [cors]}])
    args["gateway"] = {"policies": [{"action": "DENY", "rules": [{}]}]}
    assert refused(AmbientExposure, args) == [
        "ingress_rules[0].filters[0]: found CORS beside gateway.policies, by which the gateway goes"
        " first: preflights bring nothing to be let through by, and what is refused has no header"
        " for other origins. Let the waypoint judge instead"
    ]


def test_other_origins_are_for_the_gateway_where_the_waypoint_judges() -> None:
    cors = {"type": "CORS", "cors": {"allowOrigins": ["https://example.com"]}}
    rules = [{"paths": ["/api"], "filters": [cors]}]
    judged = {
        "policies": [{"action": "DENY", "rules": [{}]}],
        "jwt_rules": [{"issuer": "https://issuer.example.com"}],
    }
    reason = (
        ", by which the waypoint goes first: preflights bring nothing to be let through by, and"
        " what is refused has no header for other origins. Put it into ingress_rules"
    )
    for fields, words in (
        (["policies"], "policies"),
        (["jwt_rules"], "jwt_rules"),
        (["policies", "jwt_rules"], "policies and jwt_rules"),
    ):
        args = {**VALID[AmbientExposure], **{field: judged[field] for field in fields}}
        args["ingress_rules"] = rules
        assert refused(AmbientExposure, {**args, "rules": rules}) == [
            f"rules[0].filters[0]: found CORS beside {words}{reason}"
        ]


def test_every_fault_is_reported_at_once_and_nothing_is_registered(run: Run) -> None:
    args = {
        **VALID[AmbientExposure],
        "namespace": {"name": "Shop", "creat": True},
        "service": {**ADOPTED, "port": 0, "image": "shop:1"},
        "hostnames": ["shop.example.com", 1],
        "waypoint": {"existing": {"name": "none", "namespace": "waypoints"}},
        "require_waypoint": True,
    }

    def program() -> None:
        assert refused(AmbientExposure, args) == [
            "namespace.creat: found an unknown key, expected one of name, create, discovery_labels,"
            " ambient, existing (did you mean create?)",
            f"namespace.name: found 'Shop', {NAME}",
            f"service.port: found 0, {PORT}",
            "service.image: is for a service to deploy; this one is adopted",
            "hostnames[1]: found 1, expected a string",
            "waypoint.existing.name: found 'none', expected another name: in Istio's labels 'none'"
            " means that there is no waypoint",
            "service.selector: found nothing, expected the labels of the pods for which"
            " require_waypoint is",
        ]

    assert run(program).graph.keys() <= {"Stack/ambient-exposure-dev"}


def test_every_fault_between_fields_is_reported_at_once() -> None:
    args = {
        "namespace": {"existing": {"name": "shop"}, "ambient": True},
        "service": {**ADOPTED, "selector": {}, "container_port": 8080},
        "hostnames": ["a.example.com", "a.example.com"],
        "grpc_rules": [{}],
        "ingress_rules": [{}],
        "gateway": {"tls": {}, "address": "192.0.2.1"},
        "waypoint": {
            "existing": {"name": "shared", "namespace": "waypoints"},
            "revision": "a",
            "ingress_use_waypoint": True,
        },
        "policies": [{"name": "a", "action": "DENY", "rules": [{}]}] * 2,
        "verification": {
            "addresses": "external",
            "client": {"namespace": "curl", "account": "curl", "image": "curl:1"},
            "checks": [{"path": "/a.B/C", "status": 200, "method": "GET", "headers": {"x": "a"}}],
        },
    }
    assert [fault.partition(": ")[0] for fault in refused(AmbientExposure, args)] == [
        "namespace.ambient",
        "service.container_port",
        "gateway.address",
        "waypoint.revision",
        "ingress_rules",
        "gateway.tls.certificates",
        "hostnames[1]",
        "gateway.tls.certificates",
        "waypoint.ingress_use_waypoint",
        "policies[1].name",
        "verification.addresses",
        "verification.checks[0].method",
        "verification.checks[0].status",
    ]


def test_an_adopted_service_needs_its_pods_named_for_a_required_waypoint() -> None:
    args = {**VALID[AmbientExposure], "service": ADOPTED, "require_waypoint": True}
    assert refused(AmbientExposure, args) == [
        "service.selector: found nothing, expected the labels of the pods for which"
        " require_waypoint is"
    ]


def test_rules_are_checked_as_a_whole_before_anything_is_registered(run: Run) -> None:
    def program() -> None:
        rules = [{"paths": ["/api"]}, {"paths": ["/api"]}]
        for listed in ("rules", "ingress_rules"):
            assert refused(AmbientExposure, {**VALID[AmbientExposure], listed: rules}) == [
                f"{listed}[1]: found the match of path '/api' as in {listed}[0], which comes first,"
                " expected another: no request gets here"
            ]

    assert run(program).graph.keys() <= {"Stack/ambient-exposure-dev"}


def test_a_container_with_a_security_context_of_its_own_may_have_any_port(run: Run) -> None:
    args = changed(Workload, "container_port", 80) | {"security_context": {}}
    run(lambda: cast("None", Workload("shop", cast("Any", args))))


@pytest.mark.parametrize(
    ("component", "path"),
    [
        (Namespace, "name"),
        (Workload, "image"),
        (Waypoint, "namespace.name"),
        (IngressGateway, "hostnames[0]"),
        (AmbientExposure, "namespace.name"),
        (AmbientExposure, "rules[0].paths[0]"),
    ],
)
def test_what_is_not_known_yet_is_left_to_the_api_server(
    run: Run, component: Component, path: str
) -> None:
    def program() -> None:
        component("shop", changed(component, path, pulumi.Output.from_input("Not known")))

    graph = run(program, addresses=("a",)).graph
    assert "Not known" in str([one.inputs for one in graph.values()])


BACKEND = {"name": "other", "namespace": "elsewhere", "port": 80}


@pytest.mark.parametrize(
    ("component", "path", "fault"),
    [
        (
            AmbientExposure,
            "rules[1].backendRefs[0].namespace",
            "has to be known to the program: grants are named after the backends' namespaces",
        ),
        (
            AmbientExposure,
            "ingress_rules[0].filters[0].requestMirror.backendRef.namespace",
            "has to be known to the program: grants are named after the backends' namespaces",
        ),
        *(
            (AmbientExposure, path, "has to be known to the program")
            for path in (
                "service.name",
                "policies[0].name",
                "ingress_rules",
                "rules[1]",
                "rules[0].paths",
                "ingress_rules[0].filters",
            )
        ),
        (AmbientExposure, "gateway.tls.certificates.shop", "has to be known to the program"),
    ],
)
def test_what_names_are_made_of_has_to_be_known(
    component: Component, path: str, fault: str
) -> None:
    policy = {"name": "readers", "action": "ALLOW", "rules": [{}]}
    args = {**VALID[component], "policies": [policy]}
    if component is AmbientExposure:
        mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": BACKEND}}
        args |= {
            "grants": True,
            "rules": [{"paths": ["/api"]}, {"backendRefs": [BACKEND]}],
            "ingress_rules": [{"filters": [mirror]}],
            "hostnames": ["shop"],
            "gateway": {"tls": {"certificates": {"shop": "shop"}}},
        }
        del args["verification"]
    found = refused(component, put(args, path, pulumi.Output.from_input("late")))
    assert f"{path.removesuffix('.shop')}: {fault}" in found


def test_the_number_of_pods_is_said_once() -> None:
    args = changed(Workload, "replicas", 2)
    assert refused(Workload, args | {"horizontal_pod_autoscaler": {"maxReplicas": 3}}) == [
        "replicas: found it beside horizontal_pod_autoscaler, which sets the number of pods: leave"
        " it out"
    ]


@pytest.mark.parametrize("component", [IngressGateway, Waypoint])
def test_the_name_of_a_component_that_names_a_gateway_is_checked_too(component: Component) -> None:
    args = {key: value for key, value in VALID[component].items() if key != "name"}
    with pytest.raises(InvalidInput, match="name: found '1st', "):
        component("1st", args)


def test_the_second_version_has_a_name_that_no_proxy_has() -> None:
    canary = {"image": "shop:2", "weight": 1}
    args = changed(AmbientExposure, "service.canary", canary)
    args["gateway"] = {"name": "shop", "gateway_class": "canary"}
    assert refused(AmbientExposure, args) == [
        "gateway.name: found 'shop', for which istiod makes a Service 'shop-canary': it is one of"
        " the exposure's own. Choose another"
    ]


def test_a_waypoint_is_given_as_a_reference_and_not_by_its_name_alone(run: Run) -> None:
    def program() -> None:
        name = pulumi.Output.from_input("shared")
        assert refused(Workload, changed(Workload, "waypoint", name)) == [
            "waypoint: has to be known to the program"
        ]

    run(program)


def test_a_customization_may_be_known_only_later(run: Run) -> None:
    late = pulumi.Output.from_input({"replicas": 2})
    patches = {"deployment": {"spec": late}, "horizontalPodAutoscaler": {"spec": late}}

    def program() -> None:
        IngressGateway("edge", cast("Any", {**VALID[IngressGateway], "customization": patches}))

    data = run(program).graph["ConfigMap/edge-gateway-options"].inputs["data"]
    assert data["deployment"] == '{"spec": {"replicas": 2}}'


WHOLE: dict[str, Any] = {
    **VALID[AmbientExposure],
    "service": {
        **VALID[AmbientExposure]["service"],
        "args": ["-v"],
        "env": {"A": "b"},
        "canary": {"image": "shop:2", "weight": 1, "env": {"A": "c"}},
    },
    "waypoint": {"waypoint_for": "all", "customization": {"service": {"spec": {}}}},
    "policies": [
        {
            "name": "readers",
            "action": "ALLOW",
            "rules": [
                {
                    "from": [{"source": {"principals": ["cluster.local/ns/a/sa/b"]}}],
                    "to": [{"operation": {"methods": ["GET"]}}],
                }
            ],
        }
    ],
    "jwt_rules": [{"issuer": "a", "jwksUri": "https://a", "fromHeaders": [{"name": "a"}]}],
    "require_waypoint": True,
    "rules": [
        {
            "paths": ["/a"],
            "matches": [{"path": {"value": "/b"}}],
            "filters": [{"type": "RequestMirror", "requestMirror": {"backendRef": BACKEND}}],
            "backendRefs": [BACKEND],
        }
    ],
    "grants": True,
}
"""An exposure with something in every part."""

ANYTHING: tuple[Any, ...] = (
    ...,
    None,
    True,
    1,
    1.5,
    "",
    "a",
    [],
    [1],
    [None],
    [{}],
    {},
    {"a": 1},
    {"existing": 1},
)


def paths(value: Any, path: str) -> Iterator[str]:
    """The path of a value, and of all that is in it."""
    yield path
    if isinstance(value, dict):
        for key, held in value.items():
            if "." not in key:
                yield from paths(held, f"{path}.{key}")
    elif isinstance(value, list):
        for index, held in enumerate(value):
            yield from paths(held, f"{path}[{index}]")


WITH_ROUTES: dict[str, Any] = {
    **VALID[AmbientExposure],
    "rules": [
        {"paths": ["/paths"]},
        {
            **specs.VALID["HTTPRoute"][0]["rules"][0],
            "filters": [specs.HEADER_FILTERS[0], specs.MIRRORS[1]],
            "backendRefs": [{**specs.BACKEND, "filters": specs.HEADER_FILTERS[:1]}],
        },
    ],
    "ingress_rules": specs.VALID["HTTPRoute"][1]["rules"],
    "gateway": {
        "tls": {"certificates": {"shop.example.com": "shop"}},
        "listeners": specs.VALID["Gateway"][1]["listeners"],
    },
}
WITH_GRPC: dict[str, Any] = {
    "namespace": {"name": "shop"},
    "service": ADOPTED,
    "hostnames": ["shop.example.com"],
    "grpc_rules": specs.VALID["GRPCRoute"][0]["rules"],
}


@pytest.mark.parametrize(
    ("args", "part"),
    [
        *((WHOLE, part) for part in sorted(WHOLE.keys() - {"hostnames", "rules", "gateway"})),
        *((WITH_ROUTES, part) for part in ("hostnames", "rules", "ingress_rules", "gateway")),
        (WITH_GRPC, "grpc_rules"),
    ],
)
def test_whatever_is_wrong_is_a_fault_and_breaks_no_check(args: dict[str, Any], part: str) -> None:
    SCHEMA.validate("exposure", args, AmbientExposureArgs)
    refusals = 0
    for path in paths(args[part], part):
        for value in (*ANYTHING, pulumi.Output.from_input("late")):
            try:
                SCHEMA.validate("exposure", put(args, path, value), AmbientExposureArgs)
            except InvalidInput:
                refusals += 1
    assert refusals > 10


@pytest.mark.parametrize("late", [pulumi.Output.from_input("late"), 1])
def test_rules_that_are_wrong_or_not_known_yet_hide_no_fault_of_others(late: Any) -> None:
    rules: list[Any] = [
        {"paths": late},
        {"matches": late},
        {"matches": [late]},
        late,
        {"paths": ["/a"], "filters": late},
        {"paths": ["/a"], "filters": [late]},
    ]
    found = refused(AmbientExposure, {**VALID[AmbientExposure], "ingress_rules": rules})
    wrong = ("found 1, expected", "has to be known to the program")
    assert [fault for fault in found if not any(words in fault for words in wrong)] == [
        "ingress_rules[5]: found the match of path '/a' as in ingress_rules[4], which comes first,"
        " expected another: no request gets here"
    ]
