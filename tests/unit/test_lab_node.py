"""The run half of the lab, as far as it can be judged without starting one."""
# pyright: reportPrivateUsage=false

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from string import Template
from typing import Any

import httpx2
import pytest
import yaml
from cryptography import x509
from lightkube import ApiError, codecs

from lab import __main__ as command_line
from lab import commands
from lab.build.artifacts import UPSTREAMS, Artifacts
from lab.build.progress import Step
from lab.errors import LabError
from lab.node import (
    addons,
    cgroups,
    control_plane,
    image_store,
    init,
    node,
    pki,
    requirements,
    state,
)
from lab.node.init import Component, Plan
from lab.node.pki import write_credentials
from lab.node.state import Record, Slot, State


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "registry"
    monkeypatch.setattr(state, "REGISTRY", folder)
    # The first slot here is that of a lab which may run on this machine: its link stays.
    monkeypatch.setattr(node, "_ip", lambda *_: None)
    return folder


@pytest.fixture
def make_state(tmp_path: Path) -> Callable[[str], State]:
    return lambda name: State(tmp_path / name)


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    cache = tmp_path / "cache"
    (cache / "debian/usr/lib/cni").mkdir(parents=True)
    (cache / "debian/usr/lib/cni/ptp").touch()
    (cache / "debian/usr/lib/x86_64-linux-gnu/xtables").mkdir(parents=True)
    return Artifacts(
        bin=cache / "bin",
        debian=cache / "debian",
        gateway_api_crds=cache / "gateway-api",
        metallb_crds=cache / "metallb",
        images=(cache / "pause.tar", cache / "istiod.tar"),
    )


class TestSlot:
    def test_no_two_labs_share_an_address(self) -> None:
        networks = [n for i in range(state.SLOTS) for n in (Slot(i).link, Slot(i).pool)]
        assert len(set(networks)) == 2 * state.SLOTS
        assert all(network.subnet_of(state.ADDRESSES) for network in networks)

    def test_addresses_of_the_first(self) -> None:
        slot = Slot(0)
        assert (slot.host, slot.node) == (IPv4Address("198.18.0.1"), IPv4Address("198.18.0.2"))
        assert slot.pool == IPv4Network("198.18.1.0/24")

    def test_addresses_of_ipv6(self) -> None:
        slots = [Slot(number) for number in range(state.SLOTS)]
        networks = [network for slot in slots for network in (slot.link6, slot.pool6)]
        assert len(set(networks)) == 2 * state.SLOTS
        assert all(network.subnet_of(state.ADDRESSES6) for network in networks)
        assert all(network.is_private for network in (state.ADDRESSES6, control_plane.PODS6))
        assert str(slots[0].node6) == "fd00:198:18::2"
        assert str(slots[0].pool6) == "fd00:198:18:1::/120"

    def test_the_kernel_takes_every_name_for_an_interface(self) -> None:
        assert all(len(Slot(number).name) <= 15 for number in range(state.SLOTS))


class TestClaim:
    def test_each_lab_has_a_slot_of_its_own(self, make_state: Callable[[str], State]) -> None:
        one, two = make_state("a").claim(), make_state("b").claim()
        assert (one.name, two.name) == ("ambient-lab-0", "ambient-lab-1")
        found = make_state("b").slot()
        assert found
        assert found.name == two.name

    def test_an_ended_lab_gives_its_slot_back(
        self, make_state: Callable[[str], State], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cgroups, "_hierarchies", lambda _: [])
        node.end(make_state("a").claim())
        assert make_state("a").slot() is None
        assert make_state("b").claim().name == "ambient-lab-0"

    def test_the_machine_is_full(
        self, make_state: Callable[[str], State], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(state, "SLOTS", 1)
        make_state("a").claim()
        with pytest.raises(LabError, match="all 1 slots are taken"):
            make_state("b").claim()


class TestState:
    def test_never_takes_a_folder_of_others(self, make_state: Callable[[str], State]) -> None:
        lab = make_state("home")
        lab.root.mkdir()
        (lab.root / "thesis.txt").touch()
        expected = r"LAB_STATE: .*/home holds files that are not a lab's"
        with pytest.raises(LabError, match=expected), lab.locked():
            pass
        assert (lab.root / "thesis.txt").exists()

    def test_a_path_that_not_every_component_takes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LAB_STATE", "/srv/l\u00e4b")
        with pytest.raises(
            LabError, match=r"LAB_STATE: /srv/l.b has characters that are not ASCII"
        ):
            State.of_environment()

    def test_git_does_not_see_it(self, make_state: Callable[[str], State]) -> None:
        lab = make_state("a")
        with lab.locked():
            (lab.node / "etcd").mkdir(parents=True)
            lab.kubeconfig.touch()
            lab.clear()
        assert [path.name for path in lab.root.iterdir()] == [".gitignore"]
        assert (lab.root / ".gitignore").read_text().endswith("*\n")

    def test_logs_outlive_the_next_start(self, make_state: Callable[[str], State]) -> None:
        lab = make_state("a")
        with lab.locked():
            for text in ("first", "second"):
                lab.log("pods/x").parent.mkdir(parents=True)
                lab.log("pods/x").write_text(text)
                lab.clear()
                assert not lab.logs.exists()
                # One that did not come to write logs has none to keep.
                lab.clear()
                assert (lab.previous_logs / "pods/x.log").read_text() == text

    def test_one_command_at_a_time_also_when_the_folder_is_removed(
        self, make_state: Callable[[str], State]
    ) -> None:
        lab = make_state("a")
        seen: list[str] = []

        def other() -> None:
            with lab.locked():
                seen.append("other")

        with lab.locked():
            thread = threading.Thread(target=other)
            thread.start()
            shutil.rmtree(lab.root)
            seen.append("down")
        thread.join(timeout=60)
        assert seen == ["down", "other"]
        assert lab.root.exists()

    def test_record(self, make_state: Callable[[str], State]) -> None:
        lab = make_state("a")
        record = Record(versions={"Istio": "1"}, programs=["/bin"], ready=True)
        with lab.locked():
            assert lab.record() is None
            lab.write(record)
            assert lab.record() == record
            (lab.root / "lab.json").write_text('{"of": "another version"}')
            assert lab.record() is None


class TestCommands:
    def test_a_shell_reads_the_exports(self, tmp_path: Path) -> None:
        lab = State(tmp_path / "it's a lab")
        record = Record(versions={}, programs=["/venv/bin", "/a b/bin"])
        script = "\n".join(commands.exports(lab, record))
        values = subprocess.run(
            ["/bin/sh", "-ec", f'{script}\necho "$KUBECONFIG|$PATH|$NO_PROXY|$PULUMI_BACKEND_URL"'],
            env={"PATH": "/usr/bin", "NO_PROXY": "localhost"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        assert values == (
            f"{lab.root}/kubeconfig|/venv/bin:/a b/bin:/usr/bin|"
            f"localhost,198.18.0.0/15|file://{lab.root}/pulumi"
        )

    @pytest.mark.parametrize("command", [commands.env, commands.status])
    def test_nothing_runs(
        self, command: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LAB_STATE", str(tmp_path / "a"))
        with pytest.raises(LabError, match=r"no lab runs .*/a\. Run `python -m lab up`\."):
            command()

    def test_another_lab_is_asked_for(self) -> None:
        record = Record(versions=commands._versions("none", "IPv4"), programs=[])
        commands._require_same(record, "none", "IPv4")
        with pytest.raises(LabError, match=r"ztunnel is none, wanted /z\. Run"):
            commands._require_same(record, "/z", "IPv4")
        with pytest.raises(LabError, match=r"address families is IPv4, wanted IPv4, IPv6\. Run"):
            commands._require_same(record, "none", commands.BOTH)
        record.versions["Istio"] = "1.0"
        with pytest.raises(LabError, match=r"Istio is 1\.0, wanted 1\."):
            commands._require_same(record, "none", "IPv4")

    def test_a_ztunnel_that_is_not_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LAB_STATE", str(tmp_path / "a"))
        expected = "ztunnel: there is no file /nowhere.*`python -m lab down` makes this one forget"
        with pytest.raises(LabError, match=expected):
            commands.up("/nowhere")

    @pytest.mark.parametrize(
        ("asked", "before", "wanted"),
        [
            (None, "none", "none"),
            (None, "/z", "/z"),
            ("", "/z", "/z"),
            ("none", "/z", "none"),
            ("/y", "/z", "/y"),
        ],
    )
    def test_which_ztunnel_is_meant(self, asked: str | None, before: str, wanted: str) -> None:
        record = Record(versions={"ztunnel": before}, programs=[])
        assert commands._ztunnel(asked, record) == wanted
        assert commands._ztunnel(None, None) == "none"

    def test_down_removes_the_registry_with_its_last_lab(
        self, tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(commands, "REGISTRY", registry)
        monkeypatch.setattr(cgroups, "_hierarchies", lambda _: [])
        State(tmp_path / "a").claim()
        for name, left in (("b", True), ("a", False)):
            monkeypatch.setenv("LAB_STATE", str(tmp_path / name))
            commands.down()
            assert registry.exists() is left


class TestPlan:
    def test_certificates(self) -> None:
        authority = pki.Authority()
        own = x509.load_pem_x509_certificate(authority.certificate)
        client = authority.issue("system:node:lab", "system:nodes")
        server = authority.issue("api", names=["lab"], addresses=[IPv4Address("10.0.0.1")])
        for identity in (client, server):
            x509.load_pem_x509_certificate(identity.certificate).verify_directly_issued_by(own)
        subject = x509.load_pem_x509_certificate(client.certificate).subject.rfc4514_string()
        assert subject == "O=system:nodes,CN=system:node:lab"
        names = (
            x509.load_pem_x509_certificate(server.certificate)
            .extensions.get_extension_for_class(x509.SubjectAlternativeName)
            .value
        )
        assert names.get_values_for_type(x509.DNSName) == ["lab"]
        assert names.get_values_for_type(x509.IPAddress) == [IPv4Address("10.0.0.1")]

    def test_what_is_written_for_the_node(self, tmp_path: Path, artifacts: Artifacts) -> None:
        lab = State(tmp_path / "a")
        plan = control_plane.prepare(lab, Slot(3), artifacts)
        read = Plan.read(lab.node / "plan.json")
        assert [part.command for part in read.components] == [
            part.command for part in plan.components
        ]
        assert plan.address == "198.18.6.2/24"
        kubelet = yaml.safe_load((lab.node / "kubelet.yaml").read_text())
        assert kubelet["cgroupRoot"] == "/ambient-lab-3"
        assert kubelet["podLogsDir"] == f"{lab.root}/log/pods"
        assert (lab.node / "cni/bin/ptp").is_symlink()
        kubeconfig = yaml.safe_load(lab.kubeconfig.read_text())
        assert kubeconfig["clusters"][0]["cluster"]["server"] == "https://198.18.6.2:6443"
        assert kubeconfig["current-context"] == "lab"
        assert lab.kubeconfig.stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize("dual_stack", [False, True])
    def test_address_families(
        self, *, tmp_path: Path, artifacts: Artifacts, dual_stack: bool
    ) -> None:
        lab = State(tmp_path / "a")
        plan = control_plane.prepare(lab, Slot(0), artifacts, dual_stack=dual_stack)
        assert (plan.address6, plan.services6) == (
            ("fd00:198:18::2/64", "fd00:10:96::/112") if dual_stack else ("", "")
        )
        words = {word for component in plan.components for word in component.command}
        behind = (",fd00:198:18::2", ",fd00:10:244::/56", ",fd00:10:96::/112")
        node, pods, services = behind if dual_stack else ("", "", "")
        assert f"--node-ip=198.18.0.2{node}" in words
        assert f"--cluster-cidr=10.244.0.0/16{pods}" in words
        assert f"--service-cluster-ip-range=10.96.0.0/16{services}" in words
        proxy = yaml.safe_load((lab.node / "kube-proxy.yaml").read_text())
        assert proxy["clusterCIDR"] == f"10.244.0.0/16{pods}"
        network = json.loads((lab.node / "cni/net.d/10-lab.conflist").read_text())
        ipam = network["plugins"][0]["ipam"]
        subnets = [["10.244.0.0/24"], ["fd00:10:244::/64"]][: 1 + dual_stack]
        assert [[one["subnet"] for one in range_] for range_ in ipam["ranges"]] == subnets
        assert [route["dst"] for route in ipam["routes"]] == ["0.0.0.0/0", "::/0"][: 1 + dual_stack]

    def test_what_stays_visible_is_named_without_links(
        self, tmp_path: Path, artifacts: Artifacts
    ) -> None:
        (tmp_path / "link").symlink_to(tmp_path / "cache")
        linked = replace(artifacts, bin=tmp_path / "link/bin")
        plan = control_plane.prepare(State(tmp_path / "a"), Slot(0), linked)
        assert str(tmp_path / "cache") in plan.places
        assert str(tmp_path / "link") not in plan.places

    def test_components_wait_for_components_that_exist(
        self, tmp_path: Path, artifacts: Artifacts
    ) -> None:
        started: set[str] = set()
        for component in control_plane.prepare(State(tmp_path), Slot(0), artifacts).components:
            assert started.issuperset(component.after)
            started.add(component.name)

    @pytest.mark.parametrize("name", ["coredns", "metallb", "mesh", "istio"])
    def test_manifests(self, name: str) -> None:
        values = dict.fromkeys(_placeholders(), "true")
        documents = list(yaml.safe_load_all(addons._manifest(name, values)))
        assert all(document["kind"] for document in documents)


class TestNode:
    """The first process of a node is a shell script here."""

    @pytest.fixture
    def started(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        make_state: Callable[[str], State],
        artifacts: Artifacts,
    ) -> Callable[[], None]:
        lab = make_state("a")
        lab.logs.mkdir(parents=True)
        unshare = tmp_path / "bin/unshare"
        unshare.parent.mkdir()
        unshare.write_text(f"#!/bin/sh\nenv > {tmp_path}/environment\nexec sleep 60\n")
        unshare.chmod(0o755)
        monkeypatch.setenv("PATH", f"{unshare.parent}:{os.environ['PATH']}")
        monkeypatch.setattr(cgroups, "_hierarchies", lambda _: [])

        def wait_for_sleep(process: subprocess.Popen[bytes], _: State) -> None:
            """By then `env` has written all."""
            while Path(f"/proc/{process.pid}/comm").read_text(encoding="utf-8") != "sleep\n":
                time.sleep(0.01)

        monkeypatch.setattr(node, "_wait_for_namespace", wait_for_sleep)

        return lambda: node.start(lab, lab.claim(), artifacts)

    def test_a_node_that_cannot_be_connected_is_ended(
        self,
        started: Callable[[], None],
        make_state: Callable[[str], State],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def refused(*_: str) -> None:
            raise LabError("`ip link add` failed")

        monkeypatch.setattr(node, "_ip", refused)
        with pytest.raises(LabError, match="`ip link add` failed"):
            started()
        assert make_state("a").slot() is None

    def test_it_inherits_nothing_that_changes_its_components(
        self, started: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTPS_PROXY", "ETCD_NAME"):
            monkeypatch.setenv(name, "x")

        def interrupted(*_: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(node, "_connect", interrupted)
        with pytest.raises(KeyboardInterrupt):
            started()
        lines = (tmp_path / "environment").read_text().splitlines()
        names = {line.partition("=")[0] for line in lines}
        assert "PATH" in names
        # The shell sets some itself.
        assert names <= {"PATH", "HOME", "LANG", "PWD", "OLDPWD", "SHLVL", "_"}


class TestEnd:
    @pytest.fixture
    def lab(
        self, tmp_path: Path, make_state: Callable[[str], State], monkeypatch: pytest.MonkeyPatch
    ) -> tuple[Slot, Path]:
        """A lab and the file of its processes, in what looks like a hierarchy."""
        monkeypatch.setattr(cgroups, "_all", lambda: [tmp_path / "cgroup"])
        slot = make_state("a").claim()
        members = tmp_path / "cgroup" / slot.name / "node/cgroup.procs"
        members.parent.mkdir(parents=True)
        return slot, members

    def test_processes_are_killed_before_folders_are_removed(
        self, lab: tuple[Slot, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slot, members = lab
        process = subprocess.Popen(["sleep", "60"])
        members.write_text(f"{process.pid}\n")
        assert node.runs(slot)
        kill = os.kill

        def killed(pid: int, signal: int) -> None:
            kill(pid, signal)
            members.unlink()

        monkeypatch.setattr(os, "kill", killed)
        node.end(slot)
        assert process.wait(timeout=10) == -9
        assert not members.parents[1].exists()
        assert not node.runs(slot)

    def test_processes_that_stay_are_named(
        self, lab: tuple[Slot, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slot, members = lab
        members.write_text("7\n")
        monkeypatch.setattr(os, "kill", lambda *_: None)
        monkeypatch.setattr(node, "_END_LIMIT", 0.1)
        with pytest.raises(LabError, match=rf"{slot.name}: .* their processes: \[7\]\. Look"):
            node.end(slot)
        assert slot.registration.exists()


class TestSupervise:
    @pytest.fixture(autouse=True)
    def back_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(init, "BACK_OFF", 0)

    def test_what_cannot_be_started_ends_the_node(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="/nowhere"):
            init.supervise(_plan(tmp_path, [Component("etcd", ["/nowhere"])]))

    def test_order_and_restarts(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        order, up = tmp_path / "order", tmp_path / "up"
        wait = f"until grep -q late {order}; do sleep 0.02; done"
        early = f"echo early >>{order}; sleep 0.2; touch {up}; {wait}; exit 3"
        last = f"[ $(grep -c early {order}) -gt {init.RESTARTS} ]"
        late = f"[ -e {up} ] || echo soon >>{order}; echo late >>{order}; "
        late += f"until {last}; do sleep 0.02; done; sleep 1"
        components = [
            Component("late", ["sh", "-c", late], after=["early"]),
            Component("early", ["sh", "-c", early], ready=str(up)),
        ]
        init.supervise(_plan(tmp_path, components))
        words = order.read_text().split()
        assert words[:2] == ["early", "late"]
        assert words.count("early") == init.RESTARTS + 1
        assert words.count("late") == 1
        printed = capsys.readouterr().out
        assert "early ended with status 3\n" in printed
        assert printed.endswith("the node ends: early does not keep running; read its log\n")

    def test_what_ran_for_long_may_end_any_number_of_times(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(init, "STEADY", 0.1)
        starts = tmp_path / "starts"
        often = f"echo x >>{starts}; [ $(wc -l <{starts}) -gt {init.RESTARTS + 3} ] || sleep 0.3"
        init.supervise(_plan(tmp_path, [Component("etcd", ["sh", "-c", often])]))
        assert len(starts.read_text().split()) > 2 * init.RESTARTS + 1


def test_images_are_linked_and_databases_copied(tmp_path: Path) -> None:
    (tmp_path / "store/blobs").mkdir(parents=True)
    (tmp_path / "store/blobs/layer").write_text("layer")
    (tmp_path / "store/meta.db").write_text("names")
    (tmp_path / "store/link").symlink_to("nowhere")
    image_store.place(tmp_path / "store", tmp_path / "lab")
    assert (tmp_path / "lab/blobs/layer").samefile(tmp_path / "store/blobs/layer")
    assert not (tmp_path / "lab/meta.db").samefile(tmp_path / "store/meta.db")
    assert (tmp_path / "lab/meta.db").read_text() == "names"
    assert (tmp_path / "lab/link").readlink() == Path("nowhere")


class TestCgroups:
    """On folders that look like a hierarchy, mounted as the only one of its version."""

    @pytest.fixture
    def mounted(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path], None]:
        def mount(version: str, folder: Path) -> None:
            mounts = {version: [folder]}
            monkeypatch.setattr(cgroups, "_hierarchies", lambda wanted: mounts.get(wanted, []))

        return mount

    def test_version_2_passes_on_what_a_kubelet_needs(
        self, tmp_path: Path, mounted: Callable[[str, Path], None]
    ) -> None:
        mounted("cgroup2", tmp_path)
        (tmp_path / "cgroup.controllers").write_text("cpu memory rdma\n")
        (tmp_path / "cgroup.subtree_control").write_text("memory cpu\n")
        (tmp_path / "lab").mkdir()
        (tmp_path / "lab/cgroup.subtree_control").write_text("cpu\n")
        assert cgroups.make("lab") == [tmp_path / "lab/node/cgroup.procs"]
        assert (tmp_path / "cgroup.subtree_control").read_text() == "memory cpu\n"
        assert (tmp_path / "lab/cgroup.subtree_control").read_text() == "+memory"

    def test_version_1_allows_processors_and_memory(
        self, tmp_path: Path, mounted: Callable[[str, Path], None]
    ) -> None:
        mounted("cgroup", tmp_path)
        (tmp_path / "cpuset.cpus").write_text("0-1")
        cgroups.make("lab")
        assert (tmp_path / "lab/cpuset.cpus").read_text() == "0-1"
        assert (tmp_path / "lab/node/cpuset.cpus").read_text() == "0-1"

    def test_folders_that_cannot_be_made(
        self, tmp_path: Path, mounted: Callable[[str, Path], None]
    ) -> None:
        mounted("cgroup", tmp_path)
        (tmp_path / "lab").touch()
        with pytest.raises(LabError, match=f"{tmp_path}/lab: File exists. Run the lab outside of"):
            cgroups.make("lab")

    def test_processes_and_memory(
        self, tmp_path: Path, mounted: Callable[[str, Path], None]
    ) -> None:
        mounted("cgroup2", tmp_path)
        (tmp_path / "lab/kubepods/pod1").mkdir(parents=True)
        (tmp_path / "lab/kubepods/pod1/cgroup.procs").write_text("0\n7\n8\n")
        (tmp_path / "lab/memory.stat").write_text("anon 4096\nfile 1\n")
        assert cgroups.pids("lab") == {7, 8}
        assert cgroups.pids("lab/node") == set()
        assert cgroups.memory("lab") == 4096

    def test_folders_are_removed_from_the_inside(
        self, tmp_path: Path, mounted: Callable[[str, Path], None]
    ) -> None:
        mounted("cgroup2", tmp_path)
        (tmp_path / "lab/kubepods/pod1").mkdir(parents=True)
        (tmp_path / "lab/kubepods/busy").touch()
        assert not cgroups.remove("lab")
        (tmp_path / "lab/kubepods/busy").unlink()
        assert cgroups.remove("lab")
        assert cgroups.remove("lab")
        assert list(tmp_path.iterdir()) == []


class TestRequirements:
    """Each requirement, on what looks like a machine that lacks it."""

    @pytest.fixture
    def program(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Makes a script the program that PATH finds first."""
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

        def write(name: str, script: str) -> None:
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)

        return write

    def test_all_faults_are_told_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(platform, "machine", lambda: "aarch64")
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        monkeypatch.setattr(requirements, "addresses", lambda: iter(["addresses: in use"]))
        with pytest.raises(LabError) as error:
            requirements.check()
        lines = str(error.value).splitlines()
        assert [line.partition(":")[0] for line in lines[1:-1]] == [
            "- architecture",
            "- addresses",
            "- root",
        ]
        assert "`make up CONTEXT=NAME`" in lines[-1]

    def test_the_documents_name_them(self) -> None:
        count = len(UPSTREAMS)
        disk = (count * requirements.BUILD_DISK + requirements.DISK) // requirements.GIB
        memory = requirements.BUILD_MEMORY // requirements.GIB
        text = (state.CHECKOUT / "docs/lab.md").read_text()
        assert f"| disk | {disk} GiB to build everything, 1 GiB " in text
        assert f"| memory | {memory} GiB to build, 2 GiB to run |" in text
        assert set(re.findall(r"`(\w+)`", text.split("| programs |")[1].split("\n")[0])) == {
            *requirements.PROGRAMS
        } - {"apt-get"}

    def test_they_need_no_packages(self) -> None:
        command = [sys.executable, "-S", "-c", "import lab.node.requirements"]
        subprocess.run(command, cwd=state.CHECKOUT, check=True)

    @pytest.mark.parametrize("command", [["up"], ["check"], ["status"]])
    def test_they_come_first(
        self, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lacking(**_: object) -> None:
            raise LabError("this machine cannot run it")

        monkeypatch.setattr(requirements, "check", lacking)
        monkeypatch.setattr(os, "geteuid", lambda: 0 if command == ["up"] else 1000)
        monkeypatch.setattr("lab.build.artifacts.prepare", pytest.fail)
        monkeypatch.setenv("LAB_STATE", str(tmp_path / "lab"))
        monkeypatch.setattr(sys, "argv", ["lab", *command])
        with pytest.raises(SystemExit, match="lab: this machine cannot run it"):
            command_line.main()

    def test_another_system(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(platform, "system", lambda: "Darwin")
        monkeypatch.setattr(sys, "argv", ["lab", "up"])
        with pytest.raises(SystemExit, match="lab: it needs Linux, and this is Darwin"):
            command_line.main()

    def test_architecture(self) -> None:
        assert list(requirements.architecture("x86_64")) == []
        (fault,) = requirements.architecture("aarch64")
        assert fault.startswith("architecture: aarch64. Debian's packages and Envoy are pinned for")

    def test_programs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        faults = list(requirements.programs())
        assert [fault.split(": not found on PATH")[0] for fault in faults] == [
            "apt-get",
            "ip",
            "mount",
            "nsenter",
            "unshare",
        ]
        assert faults[1].endswith("install the package iproute2.")

    def test_ipv6(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(requirements, "IPV6", tmp_path / "if_inet6")
        monkeypatch.setattr(requirements, "_faults", lambda: iter(()))
        requirements.check()
        with pytest.raises(LabError, match=r"- IPv6: the kernel has none .*lab without --dual-st"):
            requirements.check(dual_stack=True)
        (tmp_path / "if_inet6").touch()
        requirements.check(dual_stack=True)

    def test_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        usage = shutil.disk_usage(tmp_path)._replace(free=3 * requirements.GIB)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
        cache, lab = tmp_path / "cache/new", tmp_path / "lab"
        sizes = {cache: 2 * requirements.GIB, lab: requirements.GIB}
        assert list(requirements.disk(sizes)) == []
        sizes[lab] += 1
        (fault,) = requirements.disk(sizes)
        assert fault.startswith(f"disk of {cache} and {lab}: 3.0 GiB free, 3 needed.")

    def test_memory(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert list(requirements.memory(1)) == []
        (fault,) = requirements.memory(1 << 60)
        assert fault.endswith("needed. End other programs, or raise the container's limit.")
        monkeypatch.setattr(cgroups, "memory_limit", lambda: requirements.GIB)
        (fault,) = requirements.memory(2 * requirements.GIB)
        assert fault.startswith("memory: 1.0 GiB available, 2 needed.")

    def test_namespaces(self, program: Callable[..., None]) -> None:
        program("unshare", "echo unshare failed: Operation not permitted >&2; exit 1")
        (fault,) = requirements.namespaces()
        assert "mount-proc true`: unshare failed: Operation not permitted. Run the lab" in fault
        program("unshare", "")
        assert list(requirements.namespaces()) == []

    def test_overlayfs(self, program: Callable[..., None], tmp_path: Path) -> None:
        program("unshare", 'shift; exec "$@"')
        program("mount", "echo wrong fs type >&2; exit 32")
        (fault,) = requirements.overlay({tmp_path / "state"})
        assert fault.startswith(f"overlayfs: cannot be mounted in {tmp_path}/state: wrong fs type.")
        program("mount", "[ -d upper ] && [ -d work ]")
        assert list(requirements.overlay({tmp_path / "state"})) == []

    @pytest.mark.parametrize(
        ("routes", "rules", "route", "faults"),
        [
            ([], [], [], []),
            ([{"dst": "198.18.0.0/24", "dev": "ambient-lab-0"}], [], [], []),
            ([{"dst": "198.18.0.0/15", "type": "unreachable"}], [], [], []),
            ([{"dst": "198.18.0.1", "dev": "tun0"}], [], [], ["addresses"]),
            ([], ["2022"], [{"table": "2022"}], ["route"]),
            # WireGuard's own rules: what the main table knows precisely, it decides.
            ([], ["main", "51820"], [{"table": "51820"}], []),
        ],
    )
    def test_addresses(
        self,
        routes: list[Any],
        rules: list[str],
        route: list[Any],
        faults: list[str],
        program: Callable[..., None],
    ) -> None:
        tables = ["local", *rules, "main"]
        listed = [{"priority": number, "table": table} for number, table in enumerate(tables)]
        program(
            "ip",
            'case "$*" in\n'
            f"*'route show table all root 198.18.0.0/15') echo '{json.dumps(routes)}' ;;\n"
            f"*rule) echo '{json.dumps(listed)}' ;;\n"
            f"*'route get 198.19.255.254') echo '{json.dumps(route)}' ;;\n"
            "*) exit 1 ;;\nesac",
        )
        assert [fault.partition(":")[0] for fault in requirements.addresses()] == faults

    def test_an_ip_that_does_not_answer(self, program: Callable[..., None]) -> None:
        program("ip", "exit 2")
        assert list(requirements.addresses()) == []


class TestCgroupFaults:
    """What `check` says of hierarchies, mounted as the only ones of their version."""

    @pytest.fixture
    def faults(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
        def of(version: str, **hierarchies: Path) -> list[str]:
            mounts = {version: list(hierarchies.values())}
            monkeypatch.setattr(cgroups, "_hierarchies", lambda wanted: mounts.get(wanted, []))
            return list(cgroups.faults())

        return of

    @staticmethod
    def hierarchy(folder: Path, **files: str) -> Path:
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name.replace("__", ".")).write_text(content)
        return folder

    def test_none(self, faults: Callable[..., list[str]]) -> None:
        (fault,) = faults("none")
        assert fault.startswith("/sys/fs/cgroup: no cgroup hierarchy is mounted")

    def test_one_that_cannot_be_written(
        self, faults: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "access", lambda *_: False)
        (fault,) = faults("cgroup", cpu=tmp_path)
        assert fault.startswith(f"{tmp_path}: not writable. Run the lab outside of")

    def test_version_1(self, faults: Callable[..., list[str]], tmp_path: Path) -> None:
        cpu = self.hierarchy(tmp_path / "cpu", cpu__shares="1024", cpuacct__usage="0")
        cpuset = self.hierarchy(tmp_path / "cpuset", cpuset__cpus="0-1")
        memory = self.hierarchy(tmp_path / "memory", memory__limit_in_bytes="4096")
        assert faults("cgroup", cpu=cpu, cpuset=cpuset, memory=memory) == []
        assert cgroups.memory_limit() == 4096
        assert faults("cgroup", cpu=cpu, cpuset=cpuset) == [
            "cgroup controllers memory: mounted nowhere. Mount them."
        ]

    def test_version_2(self, faults: Callable[..., list[str]], tmp_path: Path) -> None:
        """The root of the machine's own, which may have processes beside controllers."""
        files = {"cgroup__controllers": "cpu cpuset memory pids", "cgroup__procs": "1\n"}
        root = self.hierarchy(tmp_path, **files, cgroup__subtree_control="")
        assert faults("cgroup2", root=root) == []
        assert cgroups.memory_limit() is None
        self.hierarchy(tmp_path, cgroup__controllers="cpu memory")
        (fault,) = faults("cgroup2", root=root)
        assert fault.startswith(f"{root}: the controllers cpuset, pids are not delegated to here.")

    def test_version_2_in_a_container(
        self, faults: Callable[..., list[str]], tmp_path: Path
    ) -> None:
        files = {"cgroup__controllers": "cpu cpuset memory pids", "cgroup__type": "domain\n"}
        root = self.hierarchy(
            tmp_path, **files, cgroup__procs="1\n", cgroup__subtree_control="", memory__max="max\n"
        )
        (fault,) = faults("cgroup2", root=root)
        assert fault.startswith(f"{root}: it has processes of its own")
        assert cgroups.memory_limit() is None
        self.hierarchy(tmp_path, cgroup__procs="")
        assert faults("cgroup2", root=root) == []
        passed_on = {"cgroup__subtree_control": "cpu cpuset memory pids\n"}
        self.hierarchy(tmp_path, cgroup__procs="1\n", memory__max="4096\n", **passed_on)
        assert faults("cgroup2", root=root) == []
        assert cgroups.memory_limit() == 4096


def test_a_pod_that_is_not_ready_explains_itself(tmp_path: Path) -> None:
    lab = State(tmp_path)
    log = lab.logs / "pods/ns_pod_1/main/0.log"
    log.parent.mkdir(parents=True)
    log.write_text("no such flag\n")
    pod: dict[str, Any] = {
        "metadata": {"namespace": "ns", "name": "pod", "uid": "1"},
        "spec": {"containers": [{"name": "main"}]},
        "status": {
            "phase": "Pending",
            "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
            "conditions": [{"type": "Ready", "status": "False", "message": "main is not ready"}],
        },
    }
    lines = list(addons.describe(pod, lab))
    assert lines == [
        "  ns/pod is Pending; CrashLoopBackOff; main is not ready",
        "  no such flag",
    ]
    pod["status"]["conditions"][0]["status"] = "True"
    assert list(addons.describe(pod, lab)) == []


class TestApply:
    """Server-side apply by a client that answers as it is told to."""

    @pytest.fixture
    def apply(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[[Callable[[], None]], None]:
        monkeypatch.setattr(addons, "LIMIT", 0.3)
        monkeypatch.setattr(addons, "_POLL", 0.01)
        lab = State(tmp_path)
        write_credentials(lab, Slot(0))
        cluster = addons.Cluster(lab, Slot(0))
        monkeypatch.setattr(node, "runs", lambda _: True)
        monkeypatch.setattr(cluster, "_details", lambda: "details")

        def applying(answer: Callable[[], None]) -> None:
            client = type("Client", (), {"apply": lambda *_, **__: answer()})()
            monkeypatch.setattr(cluster, "_client", client)
            cluster.apply(Step("all", 1), [codecs.from_dict(SERVICE_ACCOUNT)])

        return applying

    @pytest.mark.parametrize("code", [404, 429, 500, 503])
    def test_what_passes_is_tried_again(self, apply: Any, code: int) -> None:
        answers = iter([_refusal(code), httpx2.ConnectError("refused")])

        def answer() -> None:
            if error := next(answers, None):
                raise error

        apply(answer)
        assert list(answers) == []

    def test_a_server_that_never_answers_is_named(self, apply: Any) -> None:
        def answer() -> None:
            raise httpx2.ReadTimeout("")

        with pytest.raises(LabError, match=r"waited .* ServiceAccount x: ReadTimeout\.\ndetails"):
            apply(answer)

    def test_what_does_not_pass_is_told_at_once(self, apply: Any) -> None:
        answers = iter([_refusal(422)])

        def answer() -> None:
            raise next(answers)

        with pytest.raises(LabError, match="ServiceAccount x: refused by the API server: because"):
            apply(answer)

    def test_a_wait_outlasts_a_server_that_restarts(self) -> None:
        def lacking() -> str:
            raise httpx2.ConnectError("refused")

        assert addons._answer(lacking, "the API server") == "the API server: refused"


@pytest.mark.parametrize(
    ("spec", "status", "lacking"),
    [
        ({"replicas": 2}, {"availableReplicas": 2}, ""),
        ({"replicas": 2}, {"availableReplicas": 1}, "not ready: ServiceAccount x"),
        # A DaemonSet.
        ({}, {"numberAvailable": 1}, ""),
        ({}, {}, "not ready: ServiceAccount x"),
    ],
)
def test_what_is_lacking(
    spec: dict[str, int],
    status: dict[str, int],
    lacking: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_credentials(State(tmp_path), Slot(0))
    cluster = addons.Cluster(State(tmp_path), Slot(0))
    holds = [{"type": condition, "status": "True"} for condition in ("Ready", "Accepted")]
    live = {"spec": spec, "status": {**status, "conditions": holds}}
    monkeypatch.setattr(cluster, "_get", lambda *_: live)
    workload = codecs.from_dict(SERVICE_ACCOUNT)
    assert cluster.lacking([workload]) == lacking
    holds[1]["status"] = "False"
    assert "GatewayClass istio, GatewayClass istio-waypoint" in cluster.lacking([])
    holds[0]["status"] = "Unknown"
    assert cluster.lacking([]) == "the node is not Ready"


SERVICE_ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x"}}


def _refusal(code: int) -> ApiError:
    request = httpx2.Request("PATCH", "https://x")
    body = {"code": code, "message": "because", "reason": "x"}
    return ApiError(request=request, response=httpx2.Response(code, json=body, request=request))


def _plan(folder: Path, components: list[Component]) -> Plan:
    return Plan(
        address="",
        gateway="",
        authority="",
        services="",
        places={},
        logs=str(folder),
        environment={},
        components=components,
    )


def _placeholders() -> set[str]:
    text = "".join(path.read_text() for path in addons.MANIFESTS.glob("*.yaml"))
    return set(Template(text).get_identifiers())
