"""What the waypoint and the gateway do with requests: choose, change, redirect, mirror, share."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

import httpx2
import pytest

from tests.lab.conftest import HOST, Lab, Stack, assert_unbroken, load, plain, sample
from tests.lab.test_exposure import until

pytestmark = plain

IMAGE = "docker.io/mccutchen/go-httpbin:v2.15.0"
HOSTNAME = "httpbin.example.com"
PORT = 8000
RULE = "x-rule"
"""Header of an answer that names the rule by which it came."""

Header = dict[str, str]


def header(name: str, value: str, **match: str) -> Header:
    """A header, or what one has to be."""
    return {"name": name, "value": value, **match}


def rule(name: str, *filters: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """A rule that tells its name to whom it serves."""
    told = {
        "type": "ResponseHeaderModifier",
        "responseHeaderModifier": {"set": [header(RULE, name)]},
    }
    return {**fields, "filters": [told, *filters]}


def rewrite(**fields: Any) -> dict[str, Any]:
    """A filter that rewrites the request's URL."""
    return {"type": "URLRewrite", "urlRewrite": fields}


def path(value: str, type_: str = "PathPrefix") -> dict[str, Any]:
    """What the path of a request has to be."""
    return {"path": {"type": type_, "value": value}}


ANYTHING = path("/anything")
BLUE = header("x-team", "blue")

# Those that match more stand last, so that their order alone would give the requests to others.
MATCHES = [
    rule("prefix", paths=["/anything"]),
    rule("longer", paths=["/anything/deep"]),
    rule("exact", matches=[path("/anything/deep/exact", "Exact")]),
    rule("query", matches=[{**ANYTHING, "queryParams": [header("beta", "1")]}]),
    rule("header", matches=[{**ANYTHING, "headers": [BLUE]}]),
    rule("headers", matches=[{**ANYTHING, "headers": [BLUE, header("x-tier", "gold")]}]),
    rule("method", matches=[{**ANYTHING, "method": "DELETE"}]),
    rule("pattern", matches=[path("/status/2[0-9]{2}", "RegularExpression")]),
    rule(
        "header pattern",
        matches=[
            {
                **path("/user-agent"),
                "headers": [header("user-agent", "curl/[0-9.]+", type="RegularExpression")],
            }
        ],
    ),
]

FILTERS = [
    rule(
        "changed",
        {
            "type": "RequestHeaderModifier",
            "requestHeaderModifier": {
                "set": [header("x-set", "ours")],
                "add": [header("x-add", "ours")],
                "remove": ["x-remove"],
            },
        },
        rewrite(
            hostname="inside.example.org",
            path={"type": "ReplaceFullPath", "replaceFullPath": "/headers"},
        ),
        paths=["/changed"],
    ),
    rule(
        "moved inside",
        rewrite(path={"type": "ReplacePrefixMatch", "replacePrefixMatch": "/anything/new"}),
        paths=["/old"],
    ),
    {
        "paths": ["/response-headers"],
        "filters": [
            {
                "type": "ResponseHeaderModifier",
                "responseHeaderModifier": {
                    "set": [header("x-set", "ours")],
                    "add": [header("x-add", "ours")],
                    "remove": ["x-remove"],
                },
            }
        ],
    },
    {
        "paths": ["/moved"],
        "filters": [
            {
                "type": "RequestRedirect",
                "requestRedirect": {
                    "scheme": "https",
                    "hostname": "elsewhere.example.org",
                    "port": 8443,
                    "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/there"},
                    "statusCode": 302,
                },
            }
        ],
    },
    rule(
        "mirrored",
        {
            "type": "RequestMirror",
            "requestMirror": {"backendRef": {"name": "httpbin-canary", "port": PORT}},
        },
        rewrite(path={"type": "ReplacePrefixMatch", "replacePrefixMatch": "/anything"}),
        paths=["/mirrored"],
    ),
    rule("timed", paths=["/delay"], timeouts={"request": "1s"}),
]

INGRESS_RULES = [
    {
        "paths": ["/legacy"],
        "filters": [
            {
                "type": "RequestRedirect",
                "requestRedirect": {
                    "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/anything"},
                    "statusCode": 301,
                },
            }
        ],
    },
    {
        "filters": [
            {
                "type": "RequestHeaderModifier",
                "requestHeaderModifier": {"set": [header("x-edge", "gateway")]},
            },
            {
                "type": "ResponseHeaderModifier",
                "responseHeaderModifier": {"set": [header("x-served-by", "gateway")]},
            },
        ]
    },
]


PATHS = {"paths": ["/headers", "/hostname"]}
REACHED = {"serviceType": "LoadBalancer"}


def exposures(weight: int) -> dict[str, Any]:
    """An exposure with all of the rules, and a second version.

    It tells its own name at /hostname; the first one tells none.
    """
    canary = {"image": IMAGE, "weight": weight, "env": {"USE_REAL_HOSTNAME": "true"}}
    return sample(
        service={"canary": canary},
        rules=[PATHS, *MATCHES, *FILTERS],
        ingressRules=INGRESS_RULES,
        gateway=REACHED,
    )


@pytest.fixture(scope="module")
def client(module_stack: Stack) -> Iterator[httpx2.Client]:
    """A client outside of the cluster, of a stack with all of the rules."""
    outputs = module_stack.up(exposures=exposures(0))
    with httpx2.Client(
        base_url=outputs["ingressUrl"], headers={"host": HOSTNAME}, trust_env=False, timeout=30
    ) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "url", "headers", "expected"),
    [
        ("GET", "/anything", {}, "prefix"),
        ("GET", "/anything/shallow", {}, "prefix"),
        ("GET", "/anythings", {}, None),
        ("GET", "/anything/deep", {}, "longer"),
        ("GET", "/anything/deep/exactly", {}, "longer"),
        ("GET", "/anything/deeper", {}, "prefix"),
        ("GET", "/anything/deep/exact", {}, "exact"),
        ("GET", "/anything/deep/exact/", {}, "longer"),
        # A longer path counts more than headers, query and method.
        ("DELETE", "/anything/deep?beta=1", {"x-team": "blue"}, "longer"),
        ("GET", "/anything?beta=1", {}, "query"),
        ("GET", "/anything?beta=10", {}, "prefix"),
        ("GET", "/anything?alpha=1", {}, "prefix"),
        ("GET", "/anything", {"x-team": "blue"}, "header"),
        ("GET", "/anything", {"x-team": "blues"}, "prefix"),
        # A header counts more than the query.
        ("GET", "/anything?beta=1", {"x-team": "blue"}, "header"),
        ("GET", "/anything", {"x-team": "blue", "x-tier": "gold"}, "headers"),
        ("GET", "/anything", {"x-team": "blue", "x-tier": "silver"}, "header"),
        ("GET", "/anything", {"x-team": "red", "x-tier": "gold"}, "prefix"),
        ("DELETE", "/anything", {}, "method"),
        ("POST", "/anything", {}, "prefix"),
        # The method counts more than headers.
        ("DELETE", "/anything", {"x-team": "blue", "x-tier": "gold"}, "method"),
        ("GET", "/status/204", {}, "pattern"),
        ("GET", "/status/418", {}, None),
        ("GET", "/status/2040", {}, None),
        ("GET", "/user-agent", {"user-agent": "curl/8.16.0"}, "header pattern"),
        ("GET", "/user-agent", {"user-agent": "libcurl/8.16.0"}, None),
        ("GET", "/get", {}, None),
    ],
)
def test_a_request_goes_by_the_rule_that_matches_it_best(
    client: httpx2.Client, method: str, url: str, headers: Mapping[str, str], expected: str | None
) -> None:
    answer = client.request(method, url, headers=headers)
    assert answer.headers.get(RULE) == expected
    assert (answer.status_code == 404) == (expected is None)


def received(answer: httpx2.Response) -> dict[str, list[str]]:
    """The headers of the request that httpbin got."""
    headers: dict[str, list[str]] = answer.json()["headers"]
    return {name.lower(): values for name, values in headers.items()}


THEIRS = {"x-set": "theirs", "x-add": "theirs", "x-remove": "theirs"}


def test_request_headers_are_set_added_and_removed(client: httpx2.Client) -> None:
    changed = received(client.get("/changed", headers=THEIRS))
    assert changed["x-set"] == ["ours"]
    assert ",".join(changed["x-add"]) == "theirs,ours"
    assert "x-remove" not in changed
    unchanged = received(client.get("/headers", headers=THEIRS))
    assert unchanged.items() >= {name: [value] for name, value in THEIRS.items()}.items()


def test_answer_headers_are_set_added_and_removed(client: httpx2.Client) -> None:
    changed = client.get("/response-headers", params=THEIRS)
    assert changed.headers.get_list("x-set") == ["ours"]
    assert changed.headers.get_list("x-add") == ["theirs", "ours"]
    assert "x-remove" not in changed.headers


def test_host_name_and_path_are_rewritten(client: httpx2.Client) -> None:
    # Only /headers answers with the headers: the path was replaced as a whole.
    assert received(client.get("/changed/and/more"))["host"] == ["inside.example.org"]
    assert received(client.get("/headers"))["host"] == [HOSTNAME]
    url = f"http://{HOSTNAME}/anything/new/item?page=2"
    assert client.get("/old/item?page=2").json()["url"] == url


def test_the_waypoint_redirects(client: httpx2.Client) -> None:
    answer = client.get("/moved/item")
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://elsewhere.example.org:8443/there/item"
    # It passed the gateway's own rule, which is for what comes back from the waypoint.
    assert answer.headers["x-served-by"] == "gateway"


def test_the_gateway_redirects(client: httpx2.Client) -> None:
    answer = client.get("/legacy/item")
    assert answer.status_code == 301
    location = httpx2.URL(answer.headers["location"])
    assert (location.host, location.path) == (HOSTNAME, "/anything/item")
    assert "x-served-by" not in answer.headers
    assert client.get("/legacies").status_code == 404


def test_the_gateway_changes_headers(client: httpx2.Client) -> None:
    answer = client.get("/headers", headers={"x-edge": "theirs"})
    assert received(answer)["x-edge"] == ["gateway"]
    assert answer.headers["x-served-by"] == "gateway"


def test_requests_are_mirrored(lab: Lab, client: httpx2.Client) -> None:
    def seen(workload: str, item: str) -> int:
        log = lab.kubectl("logs", "-n", "httpbin", f"deployment/{workload}", "--tail=-1")
        return log.count(f"uri=/anything/{item} ")

    assert client.get("/anything/once").headers[RULE] == "prefix"
    assert client.get("/mirrored/twice").headers[RULE] == "mirrored"
    until(lambda: seen("httpbin-canary", "twice") == 1)
    assert seen("httpbin", "twice") == 1
    assert seen("httpbin", "once") == 1
    assert seen("httpbin-canary", "once") == 0


def test_a_slow_answer_is_cut_off(client: httpx2.Client) -> None:
    assert client.get("/delay/0").status_code == 200
    late = client.get("/delay/5")
    assert late.status_code == 504
    assert late.elapsed.total_seconds() < 5


REQUESTS = 1000


def plausible(weight: int, error: float = 1e-6) -> range:
    """How many of `REQUESTS` a version with a weight answers, but for an error, half on each side.

    Exact: the chances of the binomial distribution are summed from both ends.
    """
    share = weight / 100
    chances = [
        math.comb(REQUESTS, hits) * share**hits * (1 - share) ** (REQUESTS - hits)
        for hits in range(REQUESTS + 1)
    ]
    few = bisect_right(list(accumulate(chances)), error / 2)
    many = bisect_right(list(accumulate(reversed(chances))), error / 2)
    return range(few, REQUESTS - many + 1)


def test_a_canary_gets_its_share_without_a_failed_request(
    lab: Lab, client: httpx2.Client, module_stack: Stack
) -> None:
    def answered_by_canary() -> int:
        names = Counter(client.get("/hostname").json()["hostname"] for _ in range(REQUESTS))
        mine = sum(count for name, count in names.items() if name.startswith("httpbin-canary-"))
        assert mine + names["go-httpbin"] == REQUESTS
        return mine

    def shared(weight: int) -> None:
        module_stack.up(exposures=exposures(weight))
        # The proxies get the weights a moment after the route is accepted.
        until(lambda: answered_by_canary() in plausible(weight), limit=60)

    assert answered_by_canary() == 0
    with load(lab, f"http://{HOST}/hostname") as answers:
        shared(10)
        shared(50)
        shared(100)
        # Its Service, to which a rule mirrors, goes when no route leads there any more.
        module_stack.up(exposures=sample(rules=[PATHS], gateway=REACHED))
        assert answered_by_canary() == 0
    assert_unbroken(answers)
