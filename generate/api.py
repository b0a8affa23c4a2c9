"""The Python modules with the types and limits of other projects' APIs."""

import json
import keyword
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from generate import modules
from generate.definitions import (
    Class,
    Field,
    Object,
    Release,
    Sources,
    classes,
    objects,
)

_WIDTH = 100

_KUBERNETES = (
    "https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/"
)

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME = rf"{_LABEL}(\.{_LABEL})*"

PATTERNS = {
    rf"^{_LABEL}$": ("DNS_LABEL", "a DNS label: lower-case letters, digits and '-'"),
    rf"^{_NAME}$": ("DNS_NAME", "a DNS name: lower-case letters, digits, '-' and '.'"),
    rf"^(\*\.)?{_NAME}$": (
        "HOSTNAME",
        "a DNS name like 'httpbin.example.com' or '*.example.com': lower case, no port or path",
    ),
    rf"^$|^{_NAME}$": (
        "GROUP",
        "an API group like 'apps.example.com', or '' for the core group",
    ),
    "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$": ("KIND", "a kind like 'Service'"),
    r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$": (
        "HEADER",
        "a name of letters, digits and !#$%&'*+-.^_`|~",
    ),
    "^[-_A-Za-z0-9]+$": ("WORD", "letters, digits, '-' and '_'"),
    "^([0-9]{1,5}(h|m|s|ms)){1,4}$": ("DURATION", "a duration like '1h30m', '10s' or '500ms'"),
    "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$": (
        "LABEL_VALUE",
        "letters, digits, '-', '_' and '.', a letter or digit at both ends",
    ),
    r"(^\*$)|(^(http(s)?):\/\/(((\*\.)?([a-zA-Z0-9\-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)$)": (
        "ORIGIN",
        "an origin like 'https://example.com', 'https://*.example.com:8443' or '*'",
    ),
    r"^Hostname|IPAddress|NamedAddress|[a-z0-9]([-a-z0-9]*[a-z0-9])?"
    r"(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9\/\-._~%!$&'()*+,;=:]+$": (
        "ADDRESS_TYPE",
        "'Hostname', 'IPAddress', 'NamedAddress' or a name like 'example.com/type'",
    ),
    r"^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$": (
        "PATH",
        "a path, escaped as in a URL",
    ),
    r"^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|[a-z0-9]([-a-z0-9]*[a-z0-9])?"
    r"(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9]+$": (
        "PROTOCOL",
        "a protocol like 'HTTP' or 'example.com/protocol'",
    ),
    r"^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\?([^#]*))?(#(.*))?": (
        "URI",
        "a URI like 'spiffe://cluster.local/ns/shop/sa/shop'",
    ),
    r"^(System|([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
    r"/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$": (
        "CA_CERTIFICATES",
        "'System' or a name like 'example.com/authorities'",
    ),
}
"""What patterns are called and what they mean; one that is not here is shown as it is."""


@dataclass(frozen=True)
class Api:
    """An API, and how it is read from the Go modules that publish it."""

    target: str
    """Name of the Python module that is made of it."""
    summary: str
    """What the Python module says of itself first."""
    module: str
    """Go module, in the versions that are pinned."""
    crds: Sequence[str]
    """Patterns of the files with CRDs, those of the standard channel last."""
    sources: str
    """Pattern of the Go files with the types; of two with one name, the later file's counts."""
    kinds: Mapping[str, str]
    """Version of each CRD whose spec becomes a class."""
    names: Mapping[str, str]
    """Names of types that are not simply those in Go."""
    prefix: str
    """What stands before the number of a release in texts."""

    def text(self) -> str:
        """The text of the Python module."""
        found: list[Object] = []
        pages: dict[str, str] = {}
        pinned = list(modules.pinned(self.module))
        for module in pinned:
            sources = Sources(module.files(self.sources))
            pages |= sources.pages
            for files in self.crds:
                crds = (yaml.load_all(text, yaml.CSafeLoader) for text in module.files(files))
                release = Release(module.minor, standard=files == self.crds[-1])
                found += objects(filter(None, chain(*crds)), self.kinds, sources, release)
        versions = ", ".join(module.version for module in pinned)
        rendering = Rendering(classes(found, self.names), self.prefix, pages)
        return rendering.text(self.summary, f"{self.module} {versions}")


def files() -> dict[Path, str]:
    """The Python module of every API."""
    folder = Path(__file__).parents[1] / "components" / "api"
    return {folder / api.target: api.text() for api in APIS}


_MODULE = '''\
"""{summary}

{made}

Keys are the API's own camelCase, so that a value is a spec as it is sent. What is not
said to be of later releases is part of all of them.
"""

from collections.abc import Mapping, Sequence
from typing import {untyped}Literal, NotRequired, TypedDict

import pulumi

from ..checks.values import Limit
from .releases import Releases

{classes}

LIMITS: Mapping[type, Mapping[str, Limit]] = {{{limits}}}
"""What schemas demand of fields; `FIELD[]` is for what a list or mapping holds."""

DISTINCT: Mapping[type, Mapping[str, str]] = {{{distinct}}}
"""Lists, and the key that no two elements have in common; empty for all of them."""

PLACES: Mapping[type, Mapping[str, Sequence[str]]] = {{{places}}}
"""Where objects of a class stand: CustomResourceDefinition and version, paths."""

RELEASES: Mapping[type, Mapping[str, Releases]] = {{{releases}}}
"""Which releases have a field, where not all do; an empty key is for the whole class."""
'''


class Rendering:
    """The Python module with the classes of an API."""

    def __init__(self, classes: Mapping[str, Class], prefix: str, pages: Mapping[str, str]) -> None:
        """`prefix` is what stands before the number of a release in texts; `pages` are those of
        Istio's types by their names in Go.
        """
        self._classes, self._prefix, self._pages = classes, prefix, pages
        releases = [release for class_ in classes.values() for release in class_.releases]
        self._oldest, self._newest = _number(min(releases)), _number(max(releases))
        self._kinds = {
            kind: name.removesuffix("Spec")
            for name, class_ in classes.items()
            for kind, paths in class_.places.items()
            if "spec" in paths
        }

    def text(self, summary: str, versions: str) -> str:
        """The module, which says `summary` of itself, and that it was made from `versions`."""
        fields = [of for class_ in self._classes.values() for of in class_.fields.values()]
        types = {word for of in fields for word in re.split(r"\W", of[-1].annotation)}
        aliases = {of[-1].alias: _literal(of) for of in fields if of[-1].alias}
        used = {limit.get("pattern") for of in fields for limit in of[-1].limits.values()}
        patterns = {name: (one, words) for one, (name, words) in PATTERNS.items() if one in used}
        made = f"Made by `python -m generate api` from the CustomResourceDefinitions of {versions};"
        text = _MODULE.format(
            summary=summary,
            made=_filled(f"{made} not to be changed by hand."),
            untyped="Any, " if "Any" in types else "",
            classes="\n".join(
                [
                    *(f"{alias} = {choices}\n" for alias, choices in aliases.items()),
                    *map(self._class, self._classes),
                    *(f"_{name} = {pattern}" for name, pattern in patterns.items()),
                ]
            ),
            limits=self._table(_limits),
            distinct=self._table(_distinct),
            places=self._table(_places),
            releases=self._table(self._later),
        )
        command = [sys.executable, "-m", "ruff", "format", f"--line-length={_WIDTH}", "-"]
        return subprocess.run(
            command, input=text, capture_output=True, check=True, text=True, timeout=60
        ).stdout

    def _class(self, name: str) -> str:
        class_ = self._classes[name]
        docs = {key: self._described(of, class_) for key, of in class_.fields.items()}
        types = {key: _annotation(of) for key, of in class_.fields.items()}
        summary = _sentence(self._standing(class_), self._since(class_.releases))
        page = self._page(class_.go)
        if any(map(keyword.iskeyword, types)):
            keys = "".join(f"{key!r}: {type_}," for key, type_ in types.items())
            listed = [f"- `{key}`: {text}" for key, text in docs.items() if text]
            return f"{name} = TypedDict({name!r}, {{{keys}}})\n{_docstring(summary, *listed, page)}"
        lines = [_docstring(summary, page)]
        for key, type_ in types.items():
            lines += [f"{key}: {type_}", *([_docstring(docs[key])] if docs[key] else ())]
        return f"class {name}(TypedDict):\n{textwrap.indent(chr(10).join(lines), '    ')}\n"

    def _page(self, go: str) -> str:
        if go in self._pages:
            page = re.sub(r"/docs/(.*)\.html$", r"/latest/docs/\1/", self._pages[go])
            return f"{page}#{go.replace('_', '-')}"
        if go.startswith("LabelSelector"):
            return _KUBERNETES
        return f"https://gateway-api.sigs.k8s.io/reference/spec/#{go.lower()}"

    def _standing(self, class_: Class) -> str:
        """Where the objects of a class stand: in each kind the place with the shortest path."""
        by_path: dict[str, list[str]] = {}
        for kind, paths in class_.places.items():
            last = max(paths.values())
            shortest = min((path for path in paths if paths[path] == last), key=len)
            by_path.setdefault(shortest, []).append(self._kinds[kind])
        return ", ".join(f"`{path}` of {' and '.join(kinds)}" for path, kinds in by_path.items())

    def _described(self, of: Sequence[Field], class_: Class) -> str:
        """What is to be said of a field beside its type; empty where there is nothing."""
        newest, releases = of[-1], _releases(of)
        limits = [_in_words(limit, newest, end) for end, limit in newest.limits.items()]
        default = "" if newest.default is None else f"default {_value(newest.default)}"
        since: dict[str, list[str]] = {}
        for choice in _choices(of):
            words = self._since(_releases(one for one in of if choice in one.choices), releases)
            since.setdefault(words, []).append(_value(choice))
        choices = [f"{', '.join(chosen)} {words}" for words, chosen in since.items() if words]
        return _sentence(*limits, default, self._since(releases, class_.releases), *choices)

    def _era(self, releases: Sequence[Release]) -> dict[str, str]:
        """The arguments of `Releases`."""
        standard = min((one for one in releases if one.standard), default=None)
        early = min((one for one in releases if not one.standard), default=None)
        era = {"standard": _number(standard)} if standard else {}
        if early and (not standard or early.minor < standard.minor):
            era["experimental"] = _number(early)
        if (last := _number(max(releases))) != self._newest:
            era["last"] = last
        return era

    def _since(self, releases: Sequence[Release], whole: Sequence[Release] = ()) -> str:
        """The same in words; nothing where it is as of the `whole` that it is a part of."""
        era = self._era(releases)
        if era.get("standard") == self._oldest or (whole and self._era(whole) == era):
            return ""
        standard, early, last = (
            f"{word} {self._prefix}{era[key]}" if key in era else ""
            for word, key in (("from", "standard"), ("from", "experimental"), ("until", "last"))
        )
        if standard:
            return f"{standard} (experimental {early})" if early else standard
        early = "" if era["experimental"] == self._oldest else early
        return " ".join(filter(None, ("experimental", early, last)))

    def _later(self, class_: Class) -> dict[str, str]:
        """The releases of a class and of those of its fields that are not in all of them."""
        whole = self._era(class_.releases)
        eras = {"": whole} | {key: self._era(_releases(of)) for key, of in class_.fields.items()}
        return {
            key: _call("Releases", era)
            for key, era in eras.items()
            if era.get("standard") != self._oldest and (not key or era != whole)
        }

    def _table(self, row: Callable[[Class], Mapping[str, str]]) -> str:
        """Values by class and field, as far as there are any."""
        rows = {name: row(class_).items() for name, class_ in self._classes.items()}
        return "\n".join(
            f"{name}: {{{','.join(f'{key!r}: {value}' for key, value in values)}}},"
            for name, values in rows.items()
            if values
        )


def _number(release: Release) -> str:
    return ".".join(map(str, release.minor))


def _releases(of: Iterable[Field]) -> list[Release]:
    return [one.release for one in of]


def _choices(of: Sequence[Field]) -> list[Any]:
    """All values that a field has ever admitted, if it does not admit any now."""
    return list(dict.fromkeys(value for one in of for value in one.choices if of[-1].choices))


def _literal(of: Sequence[Field]) -> str:
    return f"Literal[{', '.join(map(repr, _choices(of)))}]"


def _annotation(of: Sequence[Field]) -> str:
    whole = of[-1].annotation.format(of[-1].alias or _literal(of))
    return whole if of[-1].required else f"NotRequired[{whole}]"


def _in_words(limit: Mapping[str, Any], field: Field, end: str) -> str:
    bounds = {"low": "at least", "high": "at most"}
    many = " ".join(f"{words} {limit[key]}" for key, words in bounds.items() if key in limit)
    if bounds.keys() <= limit.keys():
        many = " to ".join(dict.fromkeys(str(limit[key]) for key in bounds))
    listed = not end and field.annotation.startswith(("Sequence", "Mapping"))
    if many and (listed or "pulumi.Input[str]" in field.annotation):
        many += f" {'element' if listed else 'character'}{'' if many.split()[-1] == '1' else 's'}"
    pattern = limit.get("pattern")
    unknown = pattern and "a text that matches the pattern in `LIMITS`"
    words = PATTERNS[pattern][1] if pattern in PATTERNS else unknown
    return f"{'each: ' if end else ''}{', '.join(filter(None, (words, many)))}"


def _value(value: object) -> str:
    if value == "":
        return "empty"
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _sentence(*parts: str) -> str:
    text = "; ".join(filter(None, parts))
    return text and f"{text[0].upper()}{text[1:]}."


def _docstring(*paragraphs: str) -> str:
    text = "\n\n".join(map(_filled, paragraphs))
    return f'"""{text}{chr(10) if chr(10) in text else ""}"""'


def _filled(paragraph: str) -> str:
    """Lines that are short enough with any indentation that occurs here."""
    return textwrap.fill(paragraph, _WIDTH - 10, break_long_words=False, break_on_hyphens=False)


def _limits(class_: Class) -> dict[str, str]:
    return {
        f"{key}{end}": _limit(limit)
        for key, of in class_.fields.items()
        for end, limit in of[-1].limits.items()
    }


def _limit(limit: Mapping[str, Any]) -> str:
    if (pattern := limit.get("pattern")) in PATTERNS:
        return f"Limit({limit.get('low')}, {limit.get('high')}, *_{PATTERNS[pattern][0]})"
    return _call("Limit", limit)


def _call(name: str, arguments: Mapping[str, object]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


def _distinct(class_: Class) -> dict[str, str]:
    newest = {key: of[-1].distinct for key, of in class_.fields.items()}
    return {key: repr(distinct) for key, distinct in newest.items() if distinct is not None}


def _places(class_: Class) -> dict[str, str]:
    return {kind: repr(list(paths)) for kind, paths in class_.places.items()}


APIS: Sequence[Api] = (
    Api(
        target="gateway_types.py",
        summary="The objects of the Gateway API.",
        module="sigs.k8s.io/gateway-api",
        crds=(
            r"config/crd/experimental/gateway\..*\.yaml",
            r"config/crd/standard/gateway\..*\.yaml",
        ),
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
        prefix="v",
    ),
    Api(
        target="istio_types.py",
        summary="The objects of Istio's security and telemetry APIs.",
        module="istio.io/api",
        crds=(r"kubernetes/customresourcedefinitions\.gen\.yaml",),
        sources=r"((security|type)/v1beta1|telemetry/v1alpha1)/\w+\.pb\.go",
        kinds={
            "authorizationpolicies.security.istio.io": "v1",
            "requestauthentications.security.istio.io": "v1",
            "telemetries.telemetry.istio.io": "v1",
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
            "Telemetry": "TelemetrySpec",
        },
        prefix="Istio ",
    ),
    Api(
        target="destination_rule_types.py",
        summary="The DestinationRules of Istio's networking API.",
        module="istio.io/api",
        crds=(r"kubernetes/customresourcedefinitions\.gen\.yaml",),
        sources=r"(networking/v1alpha3|type/v1beta1)/\w+\.pb\.go",
        kinds={"destinationrules.networking.istio.io": "v1"},
        names={"DestinationRule": "DestinationRuleSpec"},
        prefix="Istio ",
    ),
    Api(
        target="envoy_filter_types.py",
        summary="The EnvoyFilters of Istio's networking API.",
        module="istio.io/api",
        crds=(r"kubernetes/customresourcedefinitions\.gen\.yaml",),
        sources=r"(networking/v1alpha3|type/v1beta1)/\w+\.pb\.go",
        kinds={"envoyfilters.networking.istio.io": "v1alpha3"},
        names={"EnvoyFilter": "EnvoyFilterSpec"},
        prefix="Istio ",
    ),
    Api(
        target="service_entry_types.py",
        summary="The ServiceEntries of Istio's networking API.",
        module="istio.io/api",
        crds=(r"kubernetes/customresourcedefinitions\.gen\.yaml",),
        sources=r"networking/v1alpha3/\w+\.pb\.go",
        kinds={"serviceentries.networking.istio.io": "v1"},
        names={"ServiceEntry": "ServiceEntrySpec"},
        prefix="Istio ",
    ),
)
"""Every API whose types are made."""
