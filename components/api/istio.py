"""Thin typed resources of Istio: its APIs, and the Sail operator's installation API.

As in `gateway`, tokens are those of the Kubernetes provider's custom resources, and specs are plain
dicts in the API's own camelCase, typed by the modules `…_types`.

https://istio.io/latest/docs/reference/config/
https://github.com/istio-ecosystem/sail-operator/blob/main/docs/api-reference/sailoperator.io.md
"""

from typing import Literal

from .destination_rule_types import DestinationRuleSpec
from .envoy_filter_types import EnvoyFilterSpec
from .gateway import ClusterObjectMeta, ObjectMeta, Resource
from .istio_rules import SCHEMA
from .istio_types import AuthorizationPolicySpec, RequestAuthenticationSpec, TelemetrySpec
from .sail_types import IstioCNISpec, IstioSpec, ZTunnelSpec
from .service_entry_types import ServiceEntrySpec
from .traffic_rules import SCHEMA as TRAFFIC

USE_WAYPOINT = "istio.io/use-waypoint"
"""Label of a Service or namespace: requests to it pass the waypoint of this name, `none` for none.
That of a Service counts more. With `-namespace` it names the waypoint's, if that is another."""

INGRESS_USE_WAYPOINT = "istio.io/ingress-use-waypoint"
"""Label of a Service or namespace: requests of ingress gateways pass the waypoint too."""

Binds = Literal["Namespace", "Service"]
"""What has the label `use-waypoint`: a namespace, for all of its Services, or a Service alone."""

NETWORKING = "networking.istio.io"
"""API group of ServiceEntries, and of backends that are named by their host."""

ServiceKind = Literal["Service", "ServiceEntry"]
"""What requests go to: a Service, or one outside the mesh."""

SERVICE_GROUPS: dict[ServiceKind, str] = {"Service": "", "ServiceEntry": NETWORKING}
"""API group of each."""

_SCHEMA = Resource.schema | SCHEMA


class AuthorizationPolicy(Resource[ObjectMeta, AuthorizationPolicySpec]):
    """https://istio.io/latest/docs/reference/config/security/authorization-policy/"""

    group = "security.istio.io"
    kind = "AuthorizationPolicy"
    schema = _SCHEMA


class RequestAuthentication(Resource[ObjectMeta, RequestAuthenticationSpec]):
    """https://istio.io/latest/docs/reference/config/security/request_authentication/

    Istio reports no condition on it.
    """

    group = "security.istio.io"
    kind = "RequestAuthentication"
    schema = _SCHEMA


class Telemetry(Resource[ObjectMeta, TelemetrySpec]):
    """https://istio.io/latest/docs/reference/config/telemetry/

    Istio reports no condition on it.
    """

    group = "telemetry.istio.io"
    kind = "Telemetry"
    schema = _SCHEMA


class DestinationRule(Resource[ObjectMeta, DestinationRuleSpec]):
    """https://istio.io/latest/docs/reference/config/networking/destination-rule/

    Istio reports no condition on it.
    """

    group = "networking.istio.io"
    kind = "DestinationRule"
    schema = Resource.schema | TRAFFIC


class EnvoyFilter(Resource[ObjectMeta, EnvoyFilterSpec]):
    """https://istio.io/latest/docs/reference/config/networking/envoy-filter/

    Istio reports no condition on it.
    """

    group = "networking.istio.io"
    kind = "EnvoyFilter"
    version = "v1alpha3"
    schema = Resource.schema | TRAFFIC


class ServiceEntry(Resource[ObjectMeta, ServiceEntrySpec]):
    """https://istio.io/latest/docs/reference/config/networking/service-entry/"""

    group = NETWORKING
    kind = "ServiceEntry"


class Istio(Resource[ClusterObjectMeta, IstioSpec]):
    """https://github.com/istio-ecosystem/sail-operator/blob/main/docs/api-reference/sailoperator.io.md#istio"""

    group = "sailoperator.io"
    kind = "Istio"


class IstioCNI(Resource[ClusterObjectMeta, IstioCNISpec]):
    """https://github.com/istio-ecosystem/sail-operator/blob/main/docs/api-reference/sailoperator.io.md#istiocni

    Its name is `default`, the one that its CRD admits.
    """

    group = "sailoperator.io"
    kind = "IstioCNI"


class ZTunnel(Resource[ClusterObjectMeta, ZTunnelSpec]):
    """https://github.com/istio-ecosystem/sail-operator/blob/main/docs/api-reference/sailoperator.io.md#ztunnel

    Its name is `default`, the one that its CRD admits.
    """

    group = "sailoperator.io"
    kind = "ZTunnel"
