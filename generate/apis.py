"""The APIs whose objects have types here, and where their definitions are found."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from generate import gosource, modules, render
from generate.classes import Release, Spec, classes, specs
from generate.gosource import Sources

_TARGET = Path(__file__).parents[1] / "components" / "api"

_KUBERNETES = (
    "https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/"
)


@dataclass(frozen=True)
class Api:
    """An API, and how it is read from the Go modules that publish it."""

    target: Path
    """The Python module that is made of it."""
    summary: str
    """What the Python module says of itself first."""
    module: str
    """Go module, in the versions that are pinned."""
    channels: Mapping[str, bool]
    """Patterns of the files with CRDs, and whether they are of the standard channel, which comes
    after the experimental one."""
    sources: str
    """Pattern of the Go files with the types; of two with one name, the later file's counts."""
    kinds: Mapping[str, str]
    """Version of each CRD whose spec becomes a class."""
    names: Mapping[str, str]
    """Names of types that are not simply those in Go."""
    link: Callable[[str, Sources], str]
    """The upstream page of a type, by its name in Go."""
    prefix: str
    """What stands before the number of a release in texts."""

    def text(self) -> str:
        """The text of the Python module."""
        pinned = list(modules.pinned(self.module))
        read = [(module, gosource.sources(module.files(self.sources))) for module in pinned]

        def all_specs() -> Iterator[Spec]:
            for module, sources in read:
                for files, standard in self.channels.items():
                    release = Release(module.minor, standard)
                    yield from specs(_objects(module.files(files)), self.kinds, sources, release)

        made_from = f"{self.module} {', '.join(module.version for module in pinned)}"
        return render.module(
            self.summary,
            made_from,
            self.prefix,
            lambda go: self.link(go, read[-1][1]),
            classes(all_specs(), self.names),
        )


def _objects(files: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The CRDs in files."""
    for text in files.values():
        for found in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if found and found.get("kind") == "CustomResourceDefinition":
                yield found


def _gateway_api(go: str, _: Sources) -> str:
    if go.startswith("LabelSelector"):
        return _KUBERNETES
    return f"https://gateway-api.sigs.k8s.io/reference/spec/#{go.lower()}"


def _istio(go: str, sources: Sources) -> str:
    page = re.sub(r"/docs/(.*)\.html$", r"/latest/docs/\1/", sources.locations[go])
    return f"{page}#{go.replace('_', '-')}"


APIS: Sequence[Api] = (
    Api(
        target=_TARGET / "gateway_types.py",
        summary="The objects of the Gateway API.",
        module="sigs.k8s.io/gateway-api",
        channels={
            r"config/crd/experimental/gateway\..*\.yaml": False,
            r"config/crd/standard/gateway\..*\.yaml": True,
        },
        sources=r"apis/v1(beta1)?/\w+_types\.go",
        kinds={
            "gateways.gateway.networking.k8s.io": "v1",
            "listenersets.gateway.networking.k8s.io": "v1",
            "httproutes.gateway.networking.k8s.io": "v1",
            "grpcroutes.gateway.networking.k8s.io": "v1",
            "tlsroutes.gateway.networking.k8s.io": "v1",
            "tcproutes.gateway.networking.k8s.io": "v1",
            # At v1 only from release 1.5 on.
            "referencegrants.gateway.networking.k8s.io": "v1beta1",
            "backendtlspolicies.gateway.networking.k8s.io": "v1",
        },
        names={
            "LabelSelectorMatchExpression": "LabelSelectorRequirement",
            "ListenerTLSConfig": "ListenerTLS",
        },
        link=_gateway_api,
        prefix="v",
    ),
    Api(
        target=_TARGET / "istio_types.py",
        summary="The objects of Istio's security API.",
        module="istio.io/api",
        channels={r"kubernetes/customresourcedefinitions\.gen\.yaml": True},
        sources=r"(security|type)/v1beta1/\w+\.pb\.go",
        kinds={
            "authorizationpolicies.security.istio.io": "v1",
            "requestauthentications.security.istio.io": "v1",
        },
        names={
            "AuthorizationPolicy": "AuthorizationPolicySpec",
            "AuthorizationPolicy_Action": "PolicyAction",
            "AuthorizationPolicy_ExtensionProvider": "ExtensionProvider",
            "Rule": "PolicyRule",
            "Rule_From": "PolicyFrom",
            "Rule_To": "PolicyTo",
            "Source": "PolicySource",
            "Operation": "PolicyOperation",
            "Condition": "PolicyCondition",
            "RequestAuthentication": "RequestAuthenticationSpec",
        },
        link=_istio,
        prefix="Istio ",
    ),
)
"""Every API whose types are made."""
