"""The run half of the lab, as far as it can be judged without starting one."""
# pyright: reportPrivateUsage=false

import os
import subprocess
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
from lab import addons, cgroups, commands, control_plane, image_store, init, node, pki, state
from lab.artifacts import Artifacts
from lab.errors import LabError
from lab.init import Component, Plan, Supervisor
from lab.pki import write_credentials
from lab.state import Record, Slot, State


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "registry"
    monkeypatch.setattr(state, "REGISTRY", folder)
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

    def test_the_kernel_takes_every_name_for_an_interface(self) -> None:
        assert all(len(Slot(number).name) <= 15 for number in range(state.SLOTS))


class TestClaim:
    def test_each_lab_has_a_slot_of_its_own(self, make_state: Callable[[str], State]) -> None:
        (one, first), (two, second) = make_state("a").claim(), make_state("b").claim()
        assert (one, two) == (Slot(0), Slot(1))
        assert make_state("b").slot() == two
        for lock in (first, second):
            os.close(lock)

    def test_a_slot_is_held_while_a_process_has_the_lock(
        self, make_state: Callable[[str], State]
    ) -> None:
        slot, lock = make_state("a").claim()
        heir = subprocess.Popen(["sleep", "60"], pass_fds=[lock])
        os.close(lock)
        assert state.runs(slot)
        heir.kill()
        heir.wait()
        assert not state.runs(slot)

    def test_the_slot_of_a_dead_lab_is_taken_over(self, make_state: Callable[[str], State]) -> None:
        dead, lock = make_state("a").claim()
        os.close(lock)
        slot, lock = make_state("b").claim()
        assert slot == dead
        assert make_state("a").slot() is None
        os.close(lock)

    def test_an_ended_lab_gives_its_slot_back(
        self, make_state: Callable[[str], State], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cleaned: list[Slot] = []
        monkeypatch.setattr(node, "clean", cleaned.append)
        slot, lock = make_state("a").claim()
        os.close(lock)
        node.end(make_state("a"), slot)
        assert cleaned == [slot]
        assert make_state("a").slot() is None
        assert not state.runs(slot)

    def test_a_slot_that_another_lab_has_taken_over_is_left_alone(
        self, make_state: Callable[[str], State], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(node, "clean", pytest.fail)
        dead, lock = make_state("a").claim()
        os.close(lock)
        _, lock = make_state("b").claim()
        node.end(make_state("a"), dead)
        assert make_state("b").slot() == dead
        os.close(lock)

    def test_the_machine_is_full(
        self, make_state: Callable[[str], State], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(state, "SLOTS", 1)
        _, lock = make_state("a").claim()
        with pytest.raises(LabError, match="all 1 slots are in use"):
            make_state("b").claim()
        os.close(lock)


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
            lab.logs.mkdir()
            lab.clear()
        assert [path.name for path in lab.root.iterdir()] == [".gitignore"]
        assert (lab.root / ".gitignore").read_text().endswith("*\n")

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
            lab.remove()
            seen.append("down")
        thread.join(timeout=60)
        assert seen == ["down", "other"]
        assert lab.root.exists()

    def test_record(self, make_state: Callable[[str], State]) -> None:
        lab = make_state("a")
        record = Record(ztunnel="/z", versions={"Istio": "1"}, programs=["/bin"], ready=True)
        with lab.locked():
            assert lab.record() is None
            lab.write(record)
            assert lab.record() == record
            (lab.root / "lab.json").write_text('{"of": "another version"}')
            assert lab.record() is None


class TestCommands:
    @pytest.mark.parametrize(
        ("system", "user", "found"),
        [
            ("Darwin", 501, "needs Linux, and this is Darwin"),
            ("Windows", None, "needs Linux, and this is Windows"),
            ("Linux", 1000, "needs root for namespaces and network, and this is user 1000"),
        ],
    )
    def test_where_the_lab_cannot_run(self, system: str, user: int | None, found: str) -> None:
        with pytest.raises(LabError) as error:
            command_line._require(system, user)
        assert str(error.value) == (
            f"the lab {found}. Any cluster with Istio in ambient mode does instead: "
            "`pulumi config set context NAME` with a context of your kubeconfig, "
            "then `pulumi up`."
        )

    def test_root_on_linux(self) -> None:
        command_line._require("Linux", 0)

    def test_a_shell_reads_the_exports(self, tmp_path: Path) -> None:
        lab = State(tmp_path / "it's a lab")
        record = Record(ztunnel=None, versions={}, programs=["/venv/bin", "/a b/bin"])
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
        record = Record(ztunnel=None, versions=commands._versions(), programs=[])
        commands._require_same(record, None)
        with pytest.raises(LabError, match=r"ztunnel is none, wanted /z\. Run"):
            commands._require_same(record, "/z")
        record.versions["Istio"] = "1.0"
        with pytest.raises(LabError, match=r"Istio is 1\.0, wanted 1\."):
            commands._require_same(record, None)
        ambient = Record(ztunnel="/z", versions=commands._versions(), programs=[])
        with pytest.raises(LabError, match=r"ztunnel is /z, wanted none\. Run"):
            commands._require_same(ambient, None)

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
            (None, None, None),
            (None, "/z", "/z"),
            ("", "/z", "/z"),
            ("none", "/z", None),
            ("/y", "/z", "/y"),
        ],
    )
    def test_which_ztunnel_is_meant(
        self, asked: str | None, before: str | None, wanted: str | None
    ) -> None:
        record = Record(ztunnel=before, versions={}, programs=[])
        assert commands._ztunnel(asked, record) == wanted
        assert commands._ztunnel(None, None) is None

    def test_down_removes_the_registry_with_its_last_lab(
        self, tmp_path: Path, registry: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(commands, "REGISTRY", registry)
        monkeypatch.setattr(node, "clean", lambda _: None)
        os.close(State(tmp_path / "a").claim()[1])
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

    def test_what_stays_visible_is_named_without_links(
        self, tmp_path: Path, artifacts: Artifacts
    ) -> None:
        (tmp_path / "link").symlink_to(tmp_path / "cache")
        linked = replace(artifacts, bin=tmp_path / "link/bin")
        plan = control_plane.prepare(State(tmp_path / "a"), Slot(0), linked)
        assert str(tmp_path / "cache") in plan.needs
        assert str(tmp_path / "link") not in plan.needs

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
    ) -> Callable[[], tuple[State, Slot]]:
        lab = make_state("a")
        lab.logs.mkdir(parents=True)
        unshare = tmp_path / "bin/unshare"
        unshare.parent.mkdir()
        unshare.write_text(f"#!/bin/sh\nenv > {tmp_path}/environment\nexec sleep 60\n")
        unshare.chmod(0o755)
        monkeypatch.setenv("PATH", f"{unshare.parent}:{os.environ['PATH']}")
        monkeypatch.setattr(cgroups, "make", lambda _: [])
        monkeypatch.setattr(node, "clean", lambda _: None)

        def wait_for_sleep(process: subprocess.Popen[bytes], _: State) -> None:
            """By then `env`, which holds the slot as well, has written all and is gone."""
            while Path(f"/proc/{process.pid}/comm").read_text(encoding="utf-8") != "sleep\n":
                time.sleep(0.01)

        monkeypatch.setattr(node, "_wait_for_namespace", wait_for_sleep)

        def start() -> tuple[State, Slot]:
            slot, lock = lab.claim()
            node.start(lab, slot, lock, artifacts)
            return lab, slot

        return start

    def test_a_node_that_cannot_be_connected_is_ended(
        self, started: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cleaned: list[Slot] = []

        def refused(*_: str) -> None:
            raise LabError("`ip link add` failed")

        monkeypatch.setattr(node, "_ip", refused)
        monkeypatch.setattr(node, "clean", cleaned.append)
        with pytest.raises(LabError, match="`ip link add` failed"):
            started()
        assert cleaned == [Slot(0)]
        assert not state.runs(Slot(0))

    def test_it_inherits_nothing_that_changes_its_components(
        self, started: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTPS_PROXY", "ETCD_NAME"):
            monkeypatch.setenv(name, "x")

        def interrupted(*_: str) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(node, "_ip", interrupted)
        with pytest.raises(KeyboardInterrupt):
            started()
        lines = (tmp_path / "environment").read_text().splitlines()
        names = {line.partition("=")[0] for line in lines}
        assert "PATH" in names
        # The shell sets some itself.
        assert names <= {"PATH", "HOME", "LANG", "PWD", "OLDPWD", "SHLVL", "_"}

    def test_a_machine_without_the_programs(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(LabError, match="ip, mount, nsenter, unshare: not found on PATH"):
            node.check()

    def test_a_machine_that_forbids_namespaces(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unshare = tmp_path / "unshare"
        unshare.write_text("#!/bin/sh\necho unshare failed: Operation not permitted >&2\nexit 1\n")
        unshare.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.setattr(cgroups, "check", lambda: None)
        with pytest.raises(LabError, match=r"Operation not permitted\. The node needs namespaces"):
            node.check()


class TestLink:
    slot = Slot(3)

    @pytest.fixture(autouse=True)
    def link(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(node, "_LINKS", tmp_path)
        link = tmp_path / self.slot.name
        link.mkdir()
        return link

    def test_it_may_go_by_itself(self, link: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def too_late(*_: str) -> None:
            link.rmdir()
            raise LabError("cannot find device")

        monkeypatch.setattr(node, "_ip", too_late)
        node._delete_link(self.slot)
        node._delete_link(self.slot)

    def test_one_that_stays_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refused(*_: str) -> None:
            raise LabError("refused")

        monkeypatch.setattr(node, "_ip", refused)
        with pytest.raises(LabError, match="refused"):
            node._delete_link(self.slot)


class TestSupervisor:
    @pytest.fixture(autouse=True)
    def ended(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """The statuses with which the node would have ended."""
        statuses: list[int] = []
        monkeypatch.setattr(os, "_exit", statuses.append)
        monkeypatch.setattr(init, "BACK_OFF", 0)
        return statuses

    def test_what_cannot_be_started_ends_the_node(
        self, tmp_path: Path, ended: list[int], capsys: pytest.CaptureFixture[str]
    ) -> None:
        Supervisor(_plan(tmp_path, [Component("etcd", ["/nowhere"])])).run()
        assert ended == [1]
        printed = capsys.readouterr().out
        assert "the node ends: etcd cannot be watched" in printed
        assert "FileNotFoundError" in printed

    def test_one_that_ran_well_for_long_begins_to_count_anew(
        self, tmp_path: Path, ended: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(init, "_STEADY", 0)
        monkeypatch.setattr(init, "RESTARTS", 1)
        runs = iter([0, 0, 0, 0, 0])
        supervisor = Supervisor(_plan(tmp_path, [Component("etcd", [])]))
        monkeypatch.setattr(supervisor, "_run", lambda _: next(runs))
        supervisor.run()
        assert list(runs) == []
        assert ended == [1]

    def test_order_and_restarts(
        self, tmp_path: Path, ended: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        order = tmp_path / "order"

        def ready(_: Supervisor, probe: str) -> bool:
            return not probe or (order.exists() and probe in order.read_text())

        def saying(name: str, then: str = "") -> list[str]:
            return ["sh", "-c", f"echo {name} >> {order}; {then}exit 3"]

        monkeypatch.setattr(Supervisor, "_answers", ready)
        late_has_spoken = f"until grep -q late {order}; do sleep 0.02; done; "
        components = [
            Component("late", saying("late"), after=["early"]),
            Component("early", saying("early", late_has_spoken), ready="early"),
        ]
        Supervisor(_plan(tmp_path, components)).run()
        words = order.read_text().split()
        assert words[0] == "early"
        assert sorted(words) == sorted(["early", "late"] * (init.RESTARTS + 1))
        assert ended == [1, 1]


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

    def test_no_hierarchy(self, tmp_path: Path, mounted: Callable[[str, Path], None]) -> None:
        mounted("none", tmp_path)
        with pytest.raises(LabError, match="/sys/fs/cgroup: no cgroup hierarchy is mounted"):
            cgroups.check()

    def test_a_hierarchy_that_cannot_be_written(
        self,
        tmp_path: Path,
        mounted: Callable[[str, Path], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        mounted("cgroup", tmp_path)
        cgroups.check()
        monkeypatch.setattr(os, "access", lambda *_: False)
        with pytest.raises(LabError, match=f"{tmp_path}: not writable. Run the lab outside of"):
            cgroups.check()

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
        cgroups.remove("lab")
        cgroups.remove("lab")
        assert list(tmp_path.iterdir()) == []


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
        monkeypatch.setattr(addons, "APPLY_LIMIT", 0.3)
        monkeypatch.setattr(addons, "_POLL", 0.01)
        lab = State(tmp_path)
        write_credentials(lab, Slot(0))
        cluster = addons.Cluster(lab, Slot(0))

        def applying(answer: Callable[[], None]) -> None:
            client = type("Client", (), {"apply": lambda *_, **__: answer()})()
            monkeypatch.setattr(cluster, "_client", client)
            cluster.apply([codecs.from_dict(SERVICE_ACCOUNT)])

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

        with pytest.raises(LabError, match=r"ServiceAccount x: not applied .* s: ReadTimeout\."):
            apply(answer)

    def test_what_does_not_pass_is_told_at_once(self, apply: Any) -> None:
        answers = iter([_refusal(422)])

        def answer() -> None:
            raise next(answers)

        with pytest.raises(LabError, match="ServiceAccount x: the API server refused it: because"):
            apply(answer)

    def test_a_wait_outlasts_a_server_that_restarts(self) -> None:
        def lacking() -> str:
            raise httpx2.ConnectError("refused")

        assert addons._answer(lacking) == "no answer of the API server: refused"


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
        needs=[],
        places={},
        logs=str(folder),
        environment={},
        components=components,
    )


def _placeholders() -> set[str]:
    text = "".join(path.read_text() for path in addons.MANIFESTS.glob("*.yaml"))
    return set(Template(text).get_identifiers())
