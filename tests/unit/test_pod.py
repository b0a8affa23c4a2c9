"""Changes to pods."""

from typing import Any

import pytest

from components.parts.pod import patched, with_names
from tests.unit.conftest import Program, Run

POD: dict[str, Any] = {
    "serviceAccountName": "shop",
    "containers": [
        {
            "name": "shop",
            "image": "shop:1",
            "command": ["/bin/shop", "serve"],
            "securityContext": {"runAsUser": 65532, "runAsNonRoot": True},
        }
    ],
}


@pytest.mark.parametrize(
    ("patch", "changed"),
    [
        ({}, {}),
        ({"nodeSelector": {"zone": "a"}}, {"nodeSelector": {"zone": "a"}}),
        ({"serviceAccountName": "other"}, {"serviceAccountName": "other"}),
        (
            {"volumes": [{"name": "a", "emptyDir": {}, "secret": None}]},
            {"volumes": [{"name": "a", "emptyDir": {}}]},
        ),
        (
            {"containers": [{"name": "beside", "image": "beside:1"}]},
            {"containers": [*POD["containers"], {"name": "beside", "image": "beside:1"}]},
        ),
        (
            {
                "containers": [
                    {
                        "name": "shop",
                        "command": ["/bin/other"],
                        "securityContext": {"runAsUser": None, "readOnlyRootFilesystem": True},
                        # Of one volume twice.
                        "volumeMounts": [
                            {"name": "a", "mountPath": "/a"},
                            {"name": "a", "mountPath": "/b"},
                        ],
                    }
                ]
            },
            {
                "containers": [
                    {
                        "name": "shop",
                        "image": "shop:1",
                        "command": ["/bin/other"],
                        "securityContext": {"runAsNonRoot": True, "readOnlyRootFilesystem": True},
                        "volumeMounts": [
                            {"name": "a", "mountPath": "/a"},
                            {"name": "a", "mountPath": "/b"},
                        ],
                    }
                ]
            },
        ),
    ],
)
def test_what_is_named_is_merged_and_all_else_replaced(
    patch: dict[str, Any], changed: dict[str, Any]
) -> None:
    before = repr(POD)
    assert patched(POD, patch) == {**POD, **changed}
    assert repr(POD) == before


def test_none_takes_out() -> None:
    assert patched(POD, {"serviceAccountName": None}) == {"containers": POD["containers"]}


@pytest.mark.parametrize("field", ["containers", "initContainers", "volumes"])
def test_what_is_merged_by_name_has_one(field: str) -> None:
    assert with_names({field: [{"name": "a"}]}) is None
    assert with_names({field: [{"name": "a"}, {"image": "b"}]}) == (
        f"a name in each of its {field}: they are merged by it"
    )


def pod(program: Program, key: str) -> dict[str, Any]:
    found: dict[str, Any] = program.graph[key].inputs["spec"]["template"]["spec"]
    return found


def test_every_pod_that_a_stack_makes_may_be_changed(run: Run) -> None:
    spread = {"tolerations": [{"operator": "Exists"}], "imagePullSecrets": [{"name": "registry"}]}

    def own(name: str) -> dict[str, Any]:
        return {**spread, "containers": [{"name": name, "envFrom": [{"secretRef": {"name": "a"}}]}]}

    program = run(
        exposure={
            "service": {
                "pod": own("httpbin"),
                "ports": [{"name": "admin", "port": 9000, "targetPort": 9001}],
                "canary": {"image": "httpbin:2", "weight": 1},
            },
            "verification": {"pod": own("probe")},
        },
        client={"namespace": {"name": "curl"}, "pod": own("curl")},
        imageRegistry="mirror",
    )
    pods = {
        "Deployment/httpbin-deployment": "httpbin",
        "Deployment/httpbin-canary-deployment": "httpbin-canary",
        "Deployment/client-deployment": "curl",
        "Job/httpbin-probe-job": "probe",
    }
    for key, name in pods.items():
        found = pod(program, key)
        assert found.items() >= spread.items()
        (container,) = found["containers"]
        assert container["name"] == name
        assert container["image"].startswith("mirror/")
        assert container["envFrom"] == [{"secretRef": {"name": "a"}}]
    for version in ("", "-canary"):
        ports = program.graph[f"Service/httpbin{version}-service"].inputs["spec"]["ports"]
        assert [(one["name"], one["port"]) for one in ports] == [("http", 8000), ("admin", 9000)]


def test_client_and_proof_are_admitted_where_little_is(run: Run) -> None:
    program = run()
    for key in ("Deployment/client-deployment", "Job/httpbin-probe-job"):
        (container,) = pod(program, key)["containers"]
        for kind in ("requests", "limits"):
            assert container["resources"][kind].keys() == {"cpu", "memory"}
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108


def test_images_of_all_containers_come_from_the_mirror(run: Run) -> None:
    started = {"initContainers": [{"name": "a", "image": "docker.io/a:1"}]}
    program = run(exposure={"service": {"pod": started}}, imageRegistry="mirror")
    (container,) = pod(program, "Deployment/httpbin-deployment")["initContainers"]
    assert container["image"] == "mirror/a:1"
