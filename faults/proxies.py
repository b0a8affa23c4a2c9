"""Pods of gateway and waypoint: killed, evicted, rolled out under load."""

import json
import time
from functools import partial
from typing import Any

from faults.load import Load
from faults.site import FallsShortError, Site, all_answered

PROXIES = ("httpbin-gateway", "httpbin-waypoint")

_GAP = 30.0
"""Seconds in which one that was killed has to serve again."""

_AFTER = 3.0
"""Seconds of load after the last change, which meet its late effects."""


def killed(site: Site) -> str:
    """The only pod of a proxy is killed, or its program."""
    site.created()
    site.serves()
    proxy = site.random.choice(PROXIES)
    how = site.random.choice(("its program", "the pod"))
    (name, uid), *_ = site.pods(proxy)
    with site.load() as load:
        time.sleep(site.random.uniform(0.5, 2))
        if how == "the pod":
            words = ("-n", "httpbin", "--grace-period=0", "--force", "--wait=false")
            site.kubectl("delete", "pod", name, *words)
        else:
            site.breaking.signal_in_pod(uid, "envoy")
        good = len([one for one in load.answers if one.status == "200"])
        time.sleep(_AFTER)
        site.until(
            lambda: len([one for one in load.answers if one.status == "200"]),
            lambda found: found > good + 20,
            "it does not serve again",
        )
        time.sleep(_AFTER)
    if load.gap() > _GAP:
        raise FallsShortError(load.told())
    site.accounted()
    return f"{proxy}, {how}: gap {load.gap():.1f} s, {len(load.failed())} requests failed"


def evicted(site: Site) -> str:
    """With two replicas and a disruption budget, pods are evicted and rolled out; the workload's
    are rolled out, too, each going on for a while after it was told to end.
    """
    budget = {"podDisruptionBudget": {"spec": {"minAvailable": 1}}}
    twice = {"customization": {"deployment": {"spec": {"replicas": 2}}, **budget}}
    sleep = {"name": "httpbin", "lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}
    changes: dict[str, Any] = {"gateway": twice, "service": {"pod": {"containers": [sleep]}}}
    proxies = PROXIES[:1] if site.short else PROXIES
    if not site.short:
        changes["waypoint"] = twice
    site.created()
    site.configure(exposures=site.exposure(**changes))
    site.stack.up().well()
    for proxy in proxies:
        _both_ready(site, proxy)
    with site.load() as load:
        for proxy in proxies:
            _all_made_anew(site, proxy, load)
        if not site.short:
            load.step("rollout of the workload")
            before = site.pods("app=httpbin")
            site.change()
            site.stack.up().well()
            look = partial(site.pods, "app=httpbin")
            site.until(look, lambda found: not {*found} & {*before}, "pods of before")
        time.sleep(_AFTER)
    site.configure(exposures=site.exposure())
    if not site.short:
        site.converges()
    return all_answered(load)


def _all_made_anew(site: Site, proxy: str, load: Load) -> None:
    """One pod after the other; in a short round one of them."""
    for name, _ in site.pods(proxy)[: 1 if site.short else None]:
        load.step(f"eviction of {name}")
        _evict(site, name)
        _both_ready(site, proxy)
    if not site.short:
        load.step(f"rollout of {proxy}")
        deployment = (f"deployment/{_deployment(proxy)}", "-n", "httpbin")
        site.kubectl("rollout", "restart", *deployment)
        site.kubectl("rollout", "status", *deployment, "--timeout=180s")


def _deployment(proxy: str) -> str:
    return f"{proxy}-istio" if proxy == PROXIES[0] else proxy


def _both_ready(site: Site, proxy: str) -> None:
    what = f"{proxy}: ready pods, updated pods, disruptions allowed"
    site.until(partial(_ready, site, proxy), (2, 2, 1).__eq__, what, 120)


def _ready(site: Site, proxy: str) -> tuple[int, int, int]:
    name = _deployment(proxy)
    words = ("get", f"deployment/{name}", f"pdb/{name}", "-n", "httpbin", "--ignore-not-found")
    found = json.loads(site.kubectl(*words, "-o", "json") or "{}").get("items", [])
    status: dict[str, dict[str, Any]] = {one["kind"]: one.get("status", {}) for one in found}
    deployment, budget = status.get("Deployment", {}), status.get("PodDisruptionBudget", {})
    return (
        deployment.get("readyReplicas", 0),
        deployment.get("updatedReplicas", 0),
        budget.get("disruptionsAllowed", 0),
    )


def _evict(site: Site, name: str) -> None:
    file = site.folder / "eviction.json"
    metadata = {"name": name, "namespace": "httpbin"}
    wanted = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
    file.write_text(json.dumps(wanted))
    path = f"/api/v1/namespaces/httpbin/pods/{name}/eviction"
    site.kubectl("create", "--raw", path, "-f", str(file))
