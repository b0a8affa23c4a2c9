"""How proxies and workloads are reached and run, and what clients notice of a change of it."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from lightkube.core.exceptions import ApiError
from lightkube.resources.core_v1 import Pod, PodEviction

from lab.versions import CURL_IMAGE, HTTPBIN_IMAGE
from tests.lab.conftest import (
    HOST,
    Lab,
    NewStack,
    Stack,
    assert_unbroken,
    load,
    plain,
    run,
    sample,
)
from tests.lab.test_exposure import HEADER, until

pytestmark = plain

GATEWAY, WAYPOINT = "httpbin-gateway-istio", "httpbin-waypoint"
"""Names of what istiod makes."""


@pytest.fixture
def stack(module_stack: Stack) -> Stack:
    """The module's stack; the next update starts from the sample."""
    module_stack.reset()
    return module_stack


def found(lab: Lab, kind: str, name: str) -> dict[str, Any]:
    """An object in the namespace of the service."""
    one: dict[str, Any] = json.loads(lab.kubectl("get", kind, name, "-n", "httpbin", "-o", "json"))
    return one


def pods(lab: Lab, deployment: str) -> list[str]:
    """The pods of a Deployment, those included that are about to go."""
    names = lab.kubectl("get", "pods", "-n", "httpbin", "-o", "name").split()
    return [name for name in names if name.startswith(f"pod/{deployment}-")]


def from_here(url: str) -> str:
    """The status that a request from this machine is answered with at the first try."""
    words = ("curl", "-sg", "-m", "5", *HEADER, "-w", "%{http_code}", "-o", "/dev/null", url)
    return run(*words, ends="somehow")


def node_address(lab: Lab) -> str:
    """The address of the only node."""
    path = "{.items[0].status.addresses[?(@.type=='InternalIP')].address}"
    return lab.kubectl("get", "nodes", "-o", f"jsonpath={path}")


def pool(lab: Lab) -> str:
    """The start of the addresses that the load balancer gives, up to the last dot."""
    path = "{.items[0].spec.addresses[0]}"
    addresses = lab.kubectl("get", "ipaddresspools", "-A", "-o", f"jsonpath={path}")
    return addresses.rpartition(".")[0]


def test_the_service_type_changes_without_a_failed_request(lab: Lab, stack: Stack) -> None:
    stack.up()
    before = pods(lab, GATEWAY)

    with load(lab, f"http://{HOST}/headers") as answers:
        outputs = stack.up(exposures=sample(gateway={"serviceType": "LoadBalancer"}))
    assert_unbroken(answers)
    assert outputs["ingressHost"].startswith(pool(lab))
    assert outputs["ingressAddresses"] == [outputs["ingressHost"]]
    assert outputs["ingressInternalHost"] == HOST
    assert from_here(f"{outputs['ingressUrl']}/headers") == "200"

    with load(lab, f"http://{HOST}/headers") as answers:
        outputs = stack.up(exposures=sample(gateway={"serviceType": "NodePort"}))
    assert_unbroken(answers)
    assert outputs["ingressHost"] == HOST
    assert outputs["ingressAddresses"] == [HOST]
    node = f"http://{node_address(lab)}:{outputs['ingressNodePort']}"
    assert from_here(f"{node}/headers") == "200"
    assert from_here(f"{node}/get") == "404"

    with load(lab, f"http://{HOST}/headers") as answers:
        outputs = stack.up(exposures=sample(gateway={"serviceType": "ClusterIP"}))
    assert_unbroken(answers)
    assert outputs["ingressHost"] == HOST
    assert outputs["ingressAddresses"] == [HOST]
    assert "ingressNodePort" not in outputs
    until(lambda: from_here(f"{node}/headers") == "000")

    assert pods(lab, GATEWAY) == before


# Of infrastructure nodes; the lab's one node has the label anyway.
PLACED = {
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [
        {
            "key": "node-role.kubernetes.io/infra",
            "operator": "Equal",
            "value": "reserved",
            "effect": "NoSchedule",
        }
    ],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {
                        "matchExpressions": [
                            {"key": "kubernetes.io/hostname", "operator": "In", "values": ["lab"]}
                        ]
                    }
                ]
            }
        }
    },
}


def deployment(cpu: str, **spec: Any) -> dict[str, Any]:
    """Changes to a Deployment and its pods."""
    resources = {
        "requests": {"cpu": cpu, "memory": "64Mi"},
        "limits": {"cpu": "1", "memory": "512Mi"},
    }
    container = {"name": "istio-proxy", "resources": resources}
    return {"spec": {**spec, "template": {"spec": {**PLACED, "containers": [container]}}}}


def template(lab: Lab, deployment: str) -> dict[str, Any]:
    """What the pods of a Deployment are to be."""
    pod: dict[str, Any] = found(lab, "deployment", deployment)["spec"]["template"]["spec"]
    return pod


def settle(lab: Lab, deployment: str, *gone: str) -> None:
    """Wait until the pods of a Deployment are as it says now, and those others gone."""
    words = ("-n", "httpbin", f"deployment/{deployment}", "--timeout=180s")
    lab.kubectl("rollout", "status", *words)
    until(lambda: not {*pods(lab, deployment)} & {*gone}, limit=120)


def test_what_istiod_makes_is_customized(lab: Lab, stack: Stack) -> None:
    proxy = deployment("20m")
    gateway = {
        "deployment": proxy,
        "service": {"metadata": {"annotations": {"example.com/load-balancer": "internal"}}},
        "serviceAccount": {"metadata": {"annotations": {"example.com/role": "proxy"}}},
        "horizontalPodAutoscaler": {"spec": {"minReplicas": 2, "maxReplicas": 3}},
        "podDisruptionBudget": {"spec": {"minAvailable": 1}},
    }
    waypoint = {"deployment": deployment("20m", replicas=2)}
    stack.up(
        exposures=sample(gateway={"customization": gateway}, waypoint={"customization": waypoint})
    )
    asked = proxy["spec"]["template"]["spec"]
    until(lambda: all("affinity" in template(lab, name) for name in (GATEWAY, WAYPOINT)))
    for name in (GATEWAY, WAYPOINT):
        settle(lab, name)
        pod = template(lab, name)
        assert pod["containers"][0]["resources"] == asked["containers"][0]["resources"]
        assert {key: pod[key] for key in PLACED} == PLACED
    # As many as the autoscaler says, and as the Deployment does.
    until(lambda: found(lab, "deployment", GATEWAY)["status"].get("readyReplicas") == 2, limit=120)
    assert found(lab, "deployment", WAYPOINT)["status"]["readyReplicas"] == 2
    annotations = found(lab, "service", GATEWAY)["metadata"]["annotations"]
    assert annotations["example.com/load-balancer"] == "internal"
    annotations = found(lab, "serviceaccount", GATEWAY)["metadata"]["annotations"]
    assert annotations["example.com/role"] == "proxy"
    autoscaler = found(lab, "hpa", GATEWAY)["spec"]
    assert autoscaler["scaleTargetRef"]["name"] == GATEWAY
    assert (autoscaler["minReplicas"], autoscaler["maxReplicas"]) == (2, 3)
    assert found(lab, "pdb", GATEWAY)["spec"]["minAvailable"] == 1
    until(lambda: found(lab, "pdb", GATEWAY)["status"]["currentHealthy"] == 2)
    # Where nobody asks for one, none is made.
    lab.kubectl("get", "hpa", WAYPOINT, "-n", "httpbin", ends="badly")
    lab.kubectl("get", "pdb", WAYPOINT, "-n", "httpbin", ends="badly")
    assert lab.curl(*HEADER, f"{HOST}/headers") == "200"
    assert lab.curl(*HEADER, f"{HOST}/get") == "404"


PATHS = {
    "ConfigMap": "/api/v1/namespaces/httpbin/configmaps",
    "Gateway": "/apis/gateway.networking.k8s.io/v1/namespaces/httpbin/gateways",
}


def _version(one: dict[str, Any]) -> str:
    """The cluster's own counter when an object, or a list, was as it is there."""
    version: str = one["metadata"]["resourceVersion"]
    return version


class History:
    """What befalls ConfigMaps and Gateways from here on."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        listed = {kind: json.loads(lab.kubectl("get", "--raw", at)) for kind, at in PATHS.items()}
        self._since = {kind: _version(one) for kind, one in listed.items()}
        self.maps = {one["metadata"]["name"] for one in listed["ConfigMap"]["items"]}
        self.named = {
            one["metadata"]["name"]: self._parameters(one) for one in listed["Gateway"]["items"]
        }

    def replay(self) -> Iterator[None]:
        """Stops after each event, in the order of the cluster's own counter."""
        events = [event for kind in PATHS for event in self._events(kind)]
        for event in sorted(events, key=lambda event: int(_version(event["object"]))):
            one = event["object"]
            name = one["metadata"]["name"]
            if one["kind"] == "Gateway":
                self.named[name] = self._parameters(one)
            elif event["type"] == "DELETED":
                self.maps.remove(name)
            else:
                self.maps.add(name)
            yield

    def _events(self, kind: str) -> list[dict[str, Any]]:
        query = f"?watch=1&timeoutSeconds=1&resourceVersion={self._since[kind]}"
        events = self._lab.kubectl("get", "--raw", PATHS[kind] + query)
        return [json.loads(line) for line in events.splitlines()]

    @staticmethod
    def _parameters(gateway: dict[str, Any]) -> str | None:
        name: str | None = gateway["spec"]["infrastructure"].get("parametersRef", {}).get("name")
        return name


def customizations(cpu: str) -> dict[str, Any]:
    """The sample with so many CPUs for each proxy."""
    options = {"customization": {"deployment": deployment(cpu)}}
    return sample(gateway=options, waypoint=options)


def test_a_customization_changes_without_a_failed_request(lab: Lab, stack: Stack) -> None:
    stack.up(exposures=customizations("20m"))
    for name in (GATEWAY, WAYPOINT):
        settle(lab, name)
    for exposures in (customizations("30m"), sample()):
        history = History(lab)
        old = {*history.named.values()}
        others = history.maps - old
        assert None not in old
        assert len(old) == 2
        before = {name: pods(lab, name) for name in (GATEWAY, WAYPOINT)}
        with load(lab, f"http://{HOST}/headers") as answers:
            stack.up(exposures=exposures)
            for name in (GATEWAY, WAYPOINT):
                settle(lab, name, *before[name])
        assert_unbroken(answers)
        for _ in history.replay():
            assert {*history.named.values()} - {None} <= history.maps
        now = {*history.named.values()}
        assert not now & old
        assert history.maps == others | now - {None}


def test_a_gateway_runs_where_the_kernel_is_old(lab: Lab, stack: Stack) -> None:
    none: list[str] = []
    change = {"spec": {"template": {"spec": {"securityContext": {"sysctls": none}}}}}
    # Without the sysctl its listeners need a port that is not privileged.
    stack.up(exposures=sample(gateway={"port": 8080, "customization": {"deployment": change}}))
    until(lambda: not template(lab, GATEWAY)["securityContext"].get("sysctls"))
    settle(lab, GATEWAY)
    assert lab.curl(*HEADER, f"{HOST}:8080/headers") == "200"


def test_the_reported_address_is_what_is_asked_for(lab: Lab, stack: Stack) -> None:
    outputs = stack.up(exposures=sample(gateway={"addressType": "IPAddress"}))
    address = found(lab, "service", GATEWAY)["spec"]["clusterIP"]
    assert outputs["ingressHost"] == address
    assert outputs["ingressAddresses"] == [address]
    assert (
        f"GET http://{address}:80/headers (Host: httpbin.example.com): 200" in outputs["verified"]
    )
    reported = found(lab, "gateway", "httpbin-gateway")["status"]["addresses"]
    assert reported == [{"type": "IPAddress", "value": address}]
    assert lab.curl(*HEADER, f"{address}/headers") == "200"


def test_a_load_balancer_gives_the_address_that_is_asked_for(lab: Lab, stack: Stack) -> None:
    address = f"{pool(lab)}.77"
    gateway = {"serviceType": "LoadBalancer", "address": address}
    outputs = stack.up(exposures=sample(gateway=gateway))
    assert outputs["ingressHost"] == address
    assert outputs["ingressAddresses"] == [address]
    assert from_here(f"http://{address}/headers") == "200"
    # Another type that is set by hand is put right by the next update.
    by_hand = ("annotate", "gateway", "httpbin-gateway", "-n", "httpbin", "--overwrite")
    lab.kubectl(*by_hand, "networking.istio.io/service-type=ClusterIP")
    stack.settle()
    service = found(lab, "service", "httpbin-gateway-istio")
    assert service["spec"]["type"] == "LoadBalancer"
    until(lambda: from_here(f"http://{address}/headers") == "200")


def test_a_revision_serves_what_has_its_label(lab: Lab, stack: Stack) -> None:
    label = r"jsonpath={.metadata.labels.istio\.io/rev}"
    serving = lab.kubectl("get", "deploy", "istiod", "-n", "istio-system", "-o", label)
    stack.up(exposures=sample(gateway={"revision": serving}, waypoint={"revision": serving}))
    for name in ("httpbin-gateway", "httpbin-waypoint"):
        assert found(lab, "gateway", name)["metadata"]["labels"]["istio.io/rev"] == serving
    assert lab.curl(*HEADER, f"{HOST}/headers") == "200"
    assert lab.curl(*HEADER, f"{HOST}/get") == "404"
    # A new pod gets no sidecar, as it would where the namespace has the label.
    restarted = ("deployment/httpbin", "-n", "httpbin")
    lab.kubectl("rollout", "restart", *restarted)
    lab.kubectl("rollout", "status", *restarted, "--timeout=120s")
    containers = "{..spec['initContainers','containers'][*].name}"
    words = ("-n", "httpbin", "-l", "app=httpbin", "-o", f"jsonpath={containers}")
    assert {*lab.kubectl("get", "pods", *words).split()} == {"httpbin"}


def test_a_workload_runs_as_it_is_told_to(lab: Lab, stack: Stack) -> None:
    def body(path: str, *words: str) -> str:
        curl = ("curl", "-sS", "-m", "5", *HEADER, *words, f"{HOST}{path}")
        return lab.kubectl("exec", "-n", "curl", "deploy/curl", "--", *curl)

    def answering() -> set[str]:
        """The pods that answer twenty requests."""
        return {*re.findall(r'"hostname": "(.*)"', body("/hostname?[1-20]"))}

    def probed(path: str) -> bool:
        words = ("-n", "httpbin", "-l", "app=httpbin", "--tail=-1")
        log = lab.kubectl("logs", *words, ends="somehow")  # badly while an old pod ends
        return re.search(f"uri={path} .*user_agent=kube-probe", log) is not None

    resources = {"cpu": "100m", "memory": "64Mi"}
    service = {
        "args": ["-port=80", "-exclude-headers=x-hidden"],
        "env": {"USE_REAL_HOSTNAME": "true"},
        "replicas": 2,
        "resources": {"requests": resources, "limits": resources},
        # Port 80 is not for others.
        "securityContext": {"runAsUser": 0},
        "containerPort": 80,
        "readinessProbe": {"httpGet": {"port": 80, "path": "/status/201"}},
        "livenessProbe": {"httpGet": {"port": 80, "path": "/status/202"}},
    }
    stack.up(exposures=sample(service=service, rules=[{"paths": ["/headers", "/hostname"]}]))
    headers = json.loads(body("/headers", "-H", "X-Shown: yes", "-H", "X-Hidden: yes"))["headers"]
    assert "X-Shown" in headers
    assert "X-Hidden" not in headers
    until(lambda: len(answering()) == 2)
    for pod in answering():
        assert found(lab, "pod", pod)["status"]["qosClass"] == "Guaranteed"
    for path in ("/status/201", "/status/202"):
        until(partial(probed, path))
    stack.settle()

    # Without metrics an autoscaler keeps to its lowest number.
    del service["replicas"]
    scaled = {"horizontalPodAutoscaler": {"minReplicas": 3, "maxReplicas": 4}}
    kept = {"podDisruptionBudget": {"minAvailable": 3}}
    stack.up(exposures=sample(service={**service, **scaled, **kept}))
    until(lambda: found(lab, "deployment", "httpbin")["status"].get("readyReplicas") == 3, 60)
    until(lambda: found(lab, "poddisruptionbudget", "httpbin")["status"]["currentHealthy"] == 3)
    client = lab.client()
    one = next(iter(client.list(Pod, namespace="httpbin", labels={"app": "httpbin"}))).metadata
    assert one
    with pytest.raises(ApiError, match="disruption budget"):
        client.create(PodEviction(metadata=one), str(one.name), namespace="httpbin")
    stack.settle()

    # Deleted at the end of the update, it may have set the number once more before.
    stack.up(exposures=sample())
    replace(stack, env={**stack.env, "PULUMI_K8S_ENABLE_PATCH_FORCE": "true"}).settle()
    assert found(lab, "deployment", "httpbin")["spec"]["replicas"] == 1


def test_all_objects_have_the_metadata_and_images_come_from_the_mirror(
    lab: Lab, stack: Stack
) -> None:
    def elsewhere(image: str) -> str:
        """The image in a registry that nobody reaches."""
        return image.replace("docker.io", "registry.example.com")

    def named(one: dict[str, Any]) -> str:
        """Kind and name of an object, of a pod and of a Job the part that is always the same."""
        kind, metadata = one["kind"], one["metadata"]
        labels = metadata["labels"]
        if kind == "Pod":
            return f"Pod {labels.get('app') or labels['ambient-exposure/proof']}"
        name = metadata["name"]
        return f"{kind} {name.rpartition('-')[0] if kind == 'Job' else name}"

    contact = {"example.com/contact": "shop@example.com"}
    stack.up(
        exposures=sample(service={"image": elsewhere(HTTPBIN_IMAGE)}),
        client={"namespace": {"name": "curl"}, "image": elsewhere(CURL_IMAGE)},
        imageRegistry="docker.io",
        labels={"team": "shop"},
        annotations=contact,
    )
    assert lab.curl(*HEADER, f"{HOST}/headers") == "200"
    kinds = "namespaces,serviceaccounts,services,deployments,jobs,pods,gateways,httproutes"
    listed = lab.kubectl("get", kinds, "-A", "-l", "team=shop", "-o", "json")
    objects = {named(one): one["metadata"]["annotations"] for one in json.loads(listed)["items"]}
    # Not those that istiod makes.
    assert sorted(objects) == [
        "Deployment curl",
        "Deployment httpbin",
        "Gateway httpbin-gateway",
        "Gateway httpbin-waypoint",
        "HTTPRoute httpbin-ingress",
        "HTTPRoute httpbin-waypoint-route",
        "Job httpbin-probe-job",
        "Namespace curl",
        "Namespace httpbin",
        "Pod curl",
        "Pod httpbin",
        "Pod httpbin-probe",
        "Service curl",
        "Service httpbin",
        "ServiceAccount curl",
        "ServiceAccount httpbin",
    ]
    for name, annotations in objects.items():
        assert annotations.items() >= contact.items(), name
    stack.settle()


def test_an_unknown_revision_serves_nothing(lab: Lab, new_stack: NewStack) -> None:
    printed = new_stack().failing_up(
        exposures=sample(
            namespace={"name": "unserved"},
            gateway={"revision": "unknown"},
            waypoint={"revision": "unknown"},
            verification=None,
            readyTimeout=5,
        )
    )
    for name in ("httpbin-gateway", "httpbin-waypoint"):
        assert f"Gateway unserved/{name}: Accepted=Unknown (Pending: Waiting for contr" in printed
    assert "are GatewayClass and revision right, and is istiod ready?" in printed
    lab.kubectl("get", "deployment", GATEWAY, "-n", "unserved", ends="badly")


def test_generated_objects_have_the_name_that_is_asked_for(lab: Lab, stack: Stack) -> None:
    # Another Gateway: one that runs would keep what istiod has made for it under the old name.
    outputs = stack.up(
        exposures=sample(service={"name": "shop"}, gateway={"nameOverride": "front"})
    )
    host = "front.httpbin.svc.cluster.local"
    assert outputs["ingressHost"] == outputs["ingressInternalHost"] == host
    assert lab.curl(*HEADER, f"{host}/headers") == "200"
    assert lab.curl(*HEADER, f"{host}/get") == "404"
    for kind in ("deployment", "service"):
        label = found(lab, kind, "front")["metadata"]["labels"]
        assert label["gateway.networking.k8s.io/gateway-name"] == "shop-gateway"
        lab.kubectl("get", kind, "shop-gateway-istio", "-n", "httpbin", ends="badly")


@pytest.fixture
def classes(lab: Lab, stack: Stack) -> Iterator[None]:
    """Further GatewayClasses, of Istio's controllers."""
    items = [
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": {"name": name},
            "spec": {"controllerName": f"istio.io/{controller}"},
        }
        for name, controller in (
            ("edge", "gateway-controller"),
            ("own-waypoint", "mesh-controller"),
        )
    ]
    file = stack.folder / "classes.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    lab.kubectl("apply", "-f", str(file))
    lab.kubectl("wait", "--for=condition=Accepted", "-f", str(file), "--timeout=30s")
    yield
    stack.pulumi("destroy", "--yes", "--skip-preview")
    lab.kubectl("delete", "-f", str(file))


@pytest.fixture
def domain(lab: Lab) -> Iterator[str]:
    """A further DNS domain of the cluster."""
    place = ("-n", "kube-system")
    corefile = lab.kubectl("get", "configmap", "coredns", *place, "-o", "jsonpath={.data.Corefile}")

    def serve(corefile: str) -> None:
        patch = json.dumps({"data": {"Corefile": corefile}})
        lab.kubectl("patch", "configmap", "coredns", *place, "--type=merge", "-p", patch)
        lab.kubectl("rollout", "restart", "deployment/coredns", *place)
        lab.kubectl("rollout", "status", "deployment/coredns", *place, "--timeout=60s")

    serve(corefile.replace("cluster.local", "cluster.local cluster.example"))
    yield "cluster.example"
    serve(corefile)


@pytest.mark.usefixtures("classes")
def test_proxies_of_other_classes_are_reached_in_another_domain(
    lab: Lab, stack: Stack, domain: str
) -> None:
    # Other Gateways, as one that runs would keep what istiod has made for its old class.
    outputs = stack.up(
        exposures=sample(
            service={"name": "mall"},
            gateway={"gatewayClass": "edge", "clusterDomain": domain},
            waypoint={"gatewayClass": "own-waypoint"},
        )
    )
    host = f"mall-gateway-edge.httpbin.svc.{domain}"
    assert outputs["ingressHost"] == outputs["ingressInternalHost"] == host
    assert lab.curl(*HEADER, f"{host}/headers") == "200"
    assert lab.curl(*HEADER, f"{host}/get") == "404"
    for name, class_ in (("mall-gateway-edge", "edge"), ("mall-waypoint", "own-waypoint")):
        labels = found(lab, "deployment", name)["metadata"]["labels"]
        assert labels["gateway.networking.k8s.io/gateway-class-name"] == class_
    stack.pulumi("preview", "--expect-no-changes")


@pytest.fixture
def vendor(lab: Lab, stack: Stack) -> Iterator[str]:
    """The class of a mesh whose control plane calls itself otherwise, as OpenShift's does."""
    class_ = "openshift-default"
    istiod = ("deployment/istiod", "-n", "istio-system")
    own = {
        "PILOT_GATEWAY_API_CONTROLLER_NAME": "openshift.io/gateway-controller/v1",
        "PILOT_GATEWAY_API_DEFAULT_GATEWAYCLASS_NAME": class_,
    }

    def restart(*variables: str) -> None:
        lab.kubectl("set", "env", *istiod, *variables)
        lab.kubectl("rollout", "status", *istiod, "--timeout=120s")

    stack.pulumi("destroy", "--yes", "--skip-preview")
    restart(*(f"{name}={value}" for name, value in own.items()))
    until(lambda: class_ in lab.kubectl("get", "gatewayclasses", "-o", "name"))
    lab.kubectl("wait", "--for=condition=Accepted", f"gatewayclass/{class_}", "--timeout=60s")
    yield class_
    stack.pulumi("destroy", "--yes", "--skip-preview")
    restart(*(f"{name}-" for name in own))
    lab.kubectl("delete", "gatewayclass", class_)


def test_routes_of_another_vendors_class_are_waited_for(
    lab: Lab, stack: Stack, vendor: str
) -> None:
    stack.up(exposures=sample(gateway={"gatewayClass": vendor}))
    host = f"httpbin-gateway-{vendor}.httpbin.svc.cluster.local"
    assert lab.curl(*HEADER, f"{host}/headers") == "200"
    assert lab.curl(*HEADER, f"{host}/get") == "404"
    stack.pulumi("preview", "--expect-no-changes")
