"""What the measures are made of: objects, waterfalls, judgements."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from bench import page, waterfall
from bench.case import Case, changed, objects
from bench.measures import SHORT, WHOLE, Results, Size
from bench.peers import FLOOR, OURS, QUIET, TOFU
from bench.record import record
from bench.waterfall import Waterfall
from tests.unit.conftest import Run

STACK = "urn:pulumi:dev::ambient-exposure::"
PROVIDER = f"{STACK}pulumi:providers:kubernetes::cluster-provider"
GATEWAY = f"{STACK}kubernetes:gateway.networking.k8s.io/v1:Gateway::httpbin-gateway"
ROUTE = f"{STACK}kubernetes:gateway.networking.k8s.io/v1:HTTPRoute::httpbin-route"
ACCOUNT = f"{STACK}kubernetes:core/v1:ServiceAccount::httpbin-account"
RUNNING = f"{STACK}pulumi:pulumi:Stack::ambient-exposure-dev"
COMPONENT = f"{STACK}ambient:index:Workload::httpbin"

RESOURCES: list[dict[str, Any]] = [
    {"urn": RUNNING, "custom": False},
    {"urn": COMPONENT, "custom": False},
    {"urn": PROVIDER, "custom": True},
    {"urn": ACCOUNT, "custom": True, "provider": f"{PROVIDER}::1"},
    {"urn": GATEWAY, "custom": True, "provider": f"{PROVIDER}::1"},
    {
        "urn": ROUTE,
        "custom": True,
        "provider": f"{PROVIDER}::1",
        "dependencies": [GATEWAY, ACCOUNT],
    },
]

NOTES = [
    (0.0, "", ""),
    (0.7, "begin", RUNNING),
    (1.0, "begin", PROVIDER),
    (1.1, "begin", COMPONENT),
    (1.5, "end", PROVIDER),
    (1.6, "begin", GATEWAY),
    (1.65, "begin", ACCOUNT),
    (1.7, "end", ACCOUNT),
    (3.6, "end", GATEWAY),
    (3.7, "end", COMPONENT),
    (3.8, "begin", ROUTE),
    (4.8, "end", ROUTE),
    (4.9, "end", RUNNING),
    (5.0, "", ""),
]


@pytest.fixture
def drawn(tmp_path: Path) -> Waterfall:
    notes = [
        {"time": 1e9 + at, "what": what, "urn": urn, "operation": "create"}
        for at, what, urn in NOTES
    ]
    file = tmp_path / "notes"
    file.write_text("".join(f"{json.dumps(note)}\n" for note in notes))
    return waterfall.read(file, RESOURCES)


def test_the_last_resource_is_followed_to_the_first(drawn: Waterfall) -> None:
    assert [bar.urn for bar in drawn.bars[2:]] == [PROVIDER, GATEWAY, ACCOUNT, ROUTE]
    assert [bar.urn for bar in drawn.critical[2:]] == [PROVIDER, GATEWAY, ROUTE]


def test_a_terminal_is_told_where_the_time_goes(drawn: Waterfall) -> None:
    lines = waterfall.text(drawn).splitlines()
    assert lines[3].startswith("Gateway httpbin-gateway ")
    assert lines[3].split()[-3:] == ["█" * lines[3].count("█"), "2.0", "s"]
    assert "█" not in lines[4]
    assert [line.split() for line in lines[-6:]] == [
        ["0.0", "s", "0.0", "s", "0.7", "s", "engine", "starts"],
        ["0.7", "s", "0.0", "s", "0.3", "s", "program", "starts"],
        ["1.0", "s", "0.0", "s", "0.5", "s", "kubernetes", "cluster-provider"],
        ["1.5", "s", "0.1", "s", "2.0", "s", "Gateway", "httpbin-gateway"],
        ["3.6", "s", "0.2", "s", "1.0", "s", "HTTPRoute", "httpbin-route"],
        ["4.8", "s", "0.2", "s", "end"],
    ]


def test_a_picture_has_a_bar_for_each_resource(drawn: Waterfall) -> None:
    picture = ET.fromstring(waterfall.svg(drawn, "a < b"))  # noqa: S314  # made here
    bars = [one for one in picture.iter() if one.tag.endswith("rect")][3:]
    assert [float(bar.attrib["width"]) / 144 for bar in bars] == pytest.approx(
        [0.5, 2, 0.05, 1], 0.01
    )
    assert [bar.attrib["fill"] for bar in bars].count("#c2410c") == 3


def test_notes_hold_no_properties(tmp_path: Path) -> None:
    about = {"urn": GATEWAY, "op": "create", "new": {"inputs": {"password": "hush"}}}
    events = [
        {"timestamp": 1, "preludeEvent": {"config": {"token": "hush"}}},
        {"timestamp": 1, "resourcePreEvent": {"metadata": about}},
        {"timestamp": 2, "resOutputsEvent": {"metadata": about}},
        {"timestamp": 2, "summaryEvent": {}},
    ]
    file = tmp_path / "notes"
    record([json.dumps(event).encode() for event in events], file)
    assert "hush" not in file.read_text()
    notes = [json.loads(line) for line in file.read_text().splitlines()]
    assert [note.get("what") for note in notes] == [None, "begin", "end", None]


def test_peers_get_the_objects_of_the_stack_without_what_is_its_own() -> None:
    def resource(kind: str, name: str, **given: Any) -> dict[str, Any]:
        annotations = {"ambient-exposure/stack": "s", "pulumi.com/waitFor": "w", "kept": "k"}
        given["metadata"] = {"name": name, "annotations": annotations, **given.get("metadata", {})}
        return {"type": f"kubernetes:v1:{kind}", "inputs": {"kind": kind, **given}}

    route = {"rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/status"}}]}]}
    state = [
        {"type": "ambient:index:Workload", "inputs": {}},
        resource("Namespace", "httpbin"),
        resource("NamespacePatch", "httpbin", metadata={"labels": {"mesh": "yes"}}),
        resource("HTTPRoute", "httpbin-waypoint-route", spec=route),
        resource("Job", "proof"),
    ]
    made = objects(state)
    assert [one["kind"] for one in made] == ["Namespace", "HTTPRoute"]
    assert made[0]["metadata"]["labels"] == {"mesh": "yes"}
    assert all(one["metadata"]["annotations"] == {"kept": "k"} for one in made)
    other = changed(made, Case())
    assert other[0] == made[0]
    values = [match["path"]["value"] for match in other[1]["spec"]["rules"][0]["matches"]]
    assert values == ["/status", "/get"]
    assert made[1]["spec"] == route


@pytest.mark.parametrize("other", [False, True])
@pytest.mark.parametrize("case", [Case(), Case(3, shared=True), Case(3, shared=True, pods=False)])
def test_the_settings_of_a_case_are_accepted(run: Run, case: Case, other: bool) -> None:  # noqa: FBT001
    if other and not case.pods:
        return
    settings = yaml.safe_load(yaml.safe_dump(case.settings(other=other)))
    given = {name.partition(":")[2]: value for name, value in settings.items()}
    exports = run(**given).exports
    assert [*exports["exposures"]] == case.names


def results(ours: float, floor: float) -> Results:
    found = Results(WHOLE)
    for name, seconds in ((OURS.name, ours), (FLOOR.name, floor)):
        found.one["first answers"][name] = [seconds, seconds + 1, seconds + 9]
    return found


def test_a_figure_is_judged_by_its_median() -> None:
    (line,) = page.judged(results(5.5, 4))
    assert (line.found, line.limit, line.passes) == (6.5, 6.5, True)
    (line,) = page.judged(results(5.6, 4))
    assert not line.passes
    assert page.verdicts(results(5.6, 4)).splitlines()[2] == (
        "| first answers | 6.60 s | 6.50 s: 1.3 times one kubectl apply | fall short |"
    )


def test_what_grows_with_the_square_falls_short() -> None:
    found = Results(SHORT)
    for count in (1, 10, 50, 80, 200):
        found.sizes[OURS.name][count] = Size(count * count / 100, 200 << 20, 15, 1, 1000)
        found.sizes[QUIET.name][count] = Size(count * count / 100, count << 20, 1, 1, 1000)
    found.sizes[TOFU.name][200] = Size(1, 100 << 20, 1, 1, 1000)
    assert {line.measure: line.passes for line in page.judged(found)} == {
        "time of one more exposure": False,
        "memory of one more exposure": True,
        "80 exposures without pods": False,
        "200 exposures: preview, refreshed": True,
        "200 exposures: memory": False,
    }
