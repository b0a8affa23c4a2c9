"""What the stack stands on goes away: API server, istiod, node; and it moves on."""

import json
import re
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial

from faults.engine import WHAT
from faults.site import HOST, FallsShortError, Site, all_answered

_NODE = 180.0
"""Seconds in which a node that was restarted has to serve again."""

_SLACK = 45
"""Seconds beyond `readyTimeout` that an update may take to fail."""

_SECOND = "second.example.com"
_MESH = ("-n", "istio-system")
_BUNDLE = "gateway.networking.k8s.io/bundle-version"
_RAISED = "v1.7.0"


def api_killed(site: Site) -> str:
    """The API server is killed, and starts again."""
    return _without_api(site, killed=True)


def api_unreachable(site: Site) -> str:
    """Nothing from outside gets to the API server for a while."""
    return _without_api(site, killed=False)


def _without_api(site: Site, *, killed: bool) -> str:
    what = "update" if site.short else site.random.choice(WHAT)
    moment = site.moment(what)
    program = site.begin(what)
    time.sleep(moment)
    if killed:
        site.breaking.kill("kube-apiserver")
    else:
        with site.breaking.cut_off():
            time.sleep(5 if site.short else 30)
    done = program.ended()
    site.api_server()
    if done.status:
        done.badly()
    if what == "destroy":
        site.destroyed()
    needed = site.converges(None if what == "destroy" else done)
    ended = f"failed ({reason(done.output)})" if done.status else "survived"
    return f"{moment:.1f} s after the start of {what}: {ended} {needed}".rstrip()


def reason(output: str) -> str:
    """The first error that tells more than that there was one."""
    told = [line.partition("error: ")[2] for line in output.splitlines() if "error: " in line]
    told += [line.partition("* ")[2] for line in output.splitlines() if "\t* " in line]
    saying = [line for line in told if not re.match(r"\d+ errors? occurred|update failed", line)]
    return [*saying, ""][0][:200]


def istiod_down(site: Site) -> str:
    """The control plane goes away when an update has begun: for a new Gateway, or a changed one."""
    site.created()
    how = site.random.choice(("new", "changed"))
    limit = 5 if site.short else 15
    if how == "new":
        place, name = "second", "second"
        gateway = {"namespace": {"name": place}, "hostnames": [_SECOND], "readyTimeout": limit}
        site.configure(gateways={name: gateway})
    else:
        place, name = "httpbin", "httpbin-gateway"
        changes = {"hostnames": [HOST, _SECOND], "readyTimeout": limit}
        site.configure(exposures=site.exposure(**changes))
    words = ("get", "gateway", name, "-n", place, "--ignore-not-found")
    look = partial(site.kubectl, *words, "-o", "jsonpath={.metadata.generation}")
    before = look()
    ((_, uid),) = site.pods("app=istiod")
    # It does nothing any more, and looks ready still.
    site.breaking.signal_in_pod(uid, "pilot-discovery", signal.SIGSTOP)
    program = site.stack.start("up", "--yes", "--skip-preview", "--non-interactive")
    try:
        site.until(look, before.__ne__, f"Gateway {place}/{name} is not written")
    finally:
        with no_istiod(site):
            done = program.ended()
    if done.badly().seconds > limit + _SLACK:
        raise FallsShortError(f"failed only after {done.seconds:.0f} s:\n{done.output}")
    done.says(f"Gateway {place}/{name}: ", "istiod")
    site.configure(gateways={}, exposures=site.exposure())
    site.converges()
    return f"{how} Gateway: failed after {done.seconds:.0f} s"


@contextmanager
def no_istiod(site: Site) -> Generator[None]:
    """The control plane is away at once."""
    site.kubectl("scale", "deployment/istiod", *_MESH, "--replicas=0")
    site.kubectl("delete", "pod", "-l", "app=istiod", *_MESH, "--grace-period=0", "--force")
    try:
        yield
    finally:
        site.kubectl("scale", "deployment/istiod", *_MESH, "--replicas=1")
        site.kubectl("rollout", "status", "deployment/istiod", *_MESH, "--timeout=120s")


def node_restart(site: Site) -> str:
    """Every process of the node ends, and everything serves again without an update."""
    site.created()
    site.breaking.kill_all()
    began = time.monotonic()
    site.api_server()
    site.serves(_NODE)
    took = time.monotonic() - began
    if not site.short:
        site.converges()
    return f"served again after {took:.0f} s"


def mesh_moves(site: Site) -> str:
    """CRDs of a newer bundle, istiod restarted, gateway and waypoint moved to a revision."""
    site.created()
    kinds = ("gateways", "httproutes", "gatewayclasses", "referencegrants")
    crds = [f"crd/{kind}.gateway.networking.k8s.io" for kind in kinds]
    shown = json.loads(site.kubectl("get", crds[0], "-o", "json"))["metadata"]["annotations"]
    label = r"jsonpath={.metadata.labels.istio\.io/rev}"
    revision = {"revision": site.kubectl("get", "deploy", "istiod", *_MESH, "-o", label)}
    with site.load() as load:
        site.kubectl("annotate", "--overwrite", *crds, f"{_BUNDLE}={_RAISED}")
        site.kubectl("rollout", "restart", "deployment/istiod", *_MESH)
        site.kubectl("rollout", "status", "deployment/istiod", *_MESH, "--timeout=120s")
        site.configure(exposures=site.exposure(gateway=revision, waypoint=revision))
        site.converges(site.stack.up().well())
    site.kubectl("annotate", "--overwrite", *crds, f"{_BUNDLE}={shown[_BUNDLE]}")
    site.configure(exposures=site.exposure())
    if not site.short:
        site.converges()
    return all_answered(load)
