"""The engine: killed, started twice, beside another stack's, with a broken state."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from faults.site import LIMIT, ROOT, FallsShortError, Site, Stack

WHAT = ("create", "update", "destroy")

_END = 120.0
"""Seconds in which an update that was asked to end has to."""

_FULL = r"""
mount -t tmpfs -o size=64M tmpfs "$2"
cp -a "$3/." "$2"
free=$(df --output=avail --block-size=1 "$2" | tail -n 1)
head -c $((free - $1)) /dev/zero >"$2/full"
status=0
export PULUMI_BACKEND_URL="file://$2"
pulumi up --stack "$5" --yes --skip-preview --non-interactive || status=$?
rm -rf "$4" "$2/full"
cp -a "$2" "$4"
exit $status
"""
"""Updates in a mount namespace of its own, on a backend that has room for so many bytes more, and
keeps the backend."""


def killed(site: Site) -> str:
    """The engine ends at any moment, then goes on."""
    what = site.random.choice(WHAT)
    number = site.random.choice((signal.SIGKILL, signal.SIGINT, signal.SIGTERM))
    moment = site.moment(what)
    program = site.begin(what)
    time.sleep(moment)
    early = program.process.poll() is None
    # An interrupt of a terminal goes to all of its programs.
    program.signal(number, group=number != signal.SIGTERM)
    done = program.ended(moment + _END)
    site.stack.resources()
    site.stack.recover()
    after = site.random.choice(("up", "destroy"))
    if after == "destroy":
        site.destroyed()
    site.converges()
    when = f"{moment:.1f} s" if early else "its end"
    return f"{number.name} {when} after the start of {what} (status {done.status}), then {after}"


def at_once(site: Site) -> str:
    """One stack twice, and two stacks that claim the same."""
    site.created()
    site.change()
    words = ("up", "--yes", "--skip-preview", "--non-interactive")
    first, second = site.stack.start(*words), site.stack.start(*words)
    done = [first.ended(), second.ended()]
    for one in done:
        if one.status:
            one.badly().says("locked|lock")
    if all(one.status for one in done):
        raise FallsShortError("both updates of one stack failed:\n" + done[0].output)
    site.converges(min(done, key=lambda one: one.status))
    told = f"{sum(not one.status for one in done)} of 2 went through"
    other = Stack(site.folder / f"other-{time.monotonic_ns()}", "other")
    config = (site.stack.folder / "Pulumi.faults.yaml").read_text()
    (other.folder / "Pulumi.other.yaml").write_text(config)
    before = site.marked()
    other.up().badly().says("belongs to stack organization/ambient-exposure/faults")
    other.destroy().well()
    if site.marked() != before:
        raise FallsShortError(f"another stack took {before ^ site.marked()}")
    site.serves()
    return told if site.short else f"{told}; {_from_nothing(site, other)}"


def _from_nothing(site: Site, other: Stack) -> str:
    """Both stacks make the same objects at the same time."""
    site.destroyed()
    words = ("up", "--yes", "--skip-preview", "--non-interactive")
    first, second = site.stack.start(*words), other.start(*words)
    done = [first.ended(), second.ended()]
    for one in done:
        if one.status:
            one.badly().says("belongs to stack|exists already|already exists|conflict")
    if not any(one.status for one in done):
        raise FallsShortError("two stacks made the same objects, and neither was told")
    other.destroy().well()
    told = site.converges()
    return f"from nothing {sum(not one.status for one in done)} of 2 went through {told}".rstrip()


def state(site: Site) -> str:
    """No room for the state, half a state, another passphrase."""
    site.created()
    file = site.stack.file
    good = file.read_bytes()
    wrong = site.stack.pulumi(
        "up", "--yes", "--skip-preview", env={"PULUMI_CONFIG_PASSPHRASE": "wrong"}
    )
    wrong.badly().says("(?i)passphrase")
    if file.read_bytes() != good:
        raise FallsShortError("a wrong passphrase changed the state")
    file.write_bytes(good[: site.random.randrange(len(good))])
    half = file.read_bytes()
    site.stack.up().badly()
    if file.read_bytes() != half:
        raise FallsShortError("an update wrote over a state that it could not read")
    file.write_bytes(good)
    return _full(site)


def _full(site: Site) -> str:
    """An update whose state has no room at some moment."""
    site.change()
    small, kept = site.folder / "small", site.folder / "kept"
    small.mkdir(exist_ok=True)
    backend = site.stack.backend
    room = site.random.randrange(4096, 2 * site.stack.file.stat().st_size)
    given = (str(room), small, backend, kept, site.stack.name)
    done = subprocess.run(
        ("unshare", "--mount", "bash", "-euc", _FULL, "bash", *given),
        cwd=site.stack.folder,
        env=site.stack.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if done.returncode and "no space left on device" not in done.stdout:
        raise FallsShortError(f"nowhere says that the disk is full:\n{done.stdout}")
    shutil.rmtree(backend)
    shutil.copytree(kept, backend, symlinks=True)
    told = restored(site.stack.file)
    site.stack.recover()
    site.converges()
    return f"{told}{room} bytes left for the state: status {done.returncode}"


def restored(file: Path) -> str:
    """The engine may cut off a file for which there is no room; the one before stands beside it."""
    try:
        json.loads(file.read_text())
    except ValueError:
        before = file.with_name(f"{file.name}.bak")
        json.loads(before.read_text())
        shutil.copy(before, file)
        return "the state was cut off, and whole in its .bak; "
    return ""


def fuzzed(site: Site) -> str:
    """Configurations and route tables of any kind, without an engine."""
    examples = 50 if site.short else 2000
    seed = site.random.randrange(1 << 30)
    words = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    done = subprocess.run(
        [*words, f"--hypothesis-seed={seed}", "tests/unit/test_fuzz.py"],
        cwd=ROOT,
        env=site.stack.env | {"FUZZ_EXAMPLES": str(examples)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1800,
        check=False,
    )
    if done.returncode:
        raise FallsShortError(done.stdout)
    return f"{examples} configurations, --hypothesis-seed={seed}"
