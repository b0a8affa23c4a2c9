"""Writes what the tests compare of the CRDs of Istio and of the Sail operator.

Usage: python -m tests.unit.crds.istio.extract FILE...

FILE are CRDs in YAML: `manifests/charts/base/files/crd-all.gen.yaml` of Istio 1.30.0, and
`chart/crds/sailoperator.io_*.yaml` of the Sail operator 1.30.0. The result stands beside this
script. Beyond what `tests/unit/crds/extract.py` drops, it has no Helm values, which are typed
nowhere, and no list of the versions that the operator has.
"""

import json
import sys
from pathlib import Path

import yaml

from tests.unit.crds.extract import spec

KINDS = ("AuthorizationPolicy", "RequestAuthentication", "Istio", "IstioCNI", "ZTunnel")


def main(files: list[str]) -> None:
    crds = [crd for file in files for crd in yaml.safe_load_all(Path(file).read_text("utf-8"))]
    specs = {crd["spec"]["names"]["kind"]: spec(crd) for crd in crds if crd}
    for kind in ("Istio", "IstioCNI", "ZTunnel"):
        fields = specs[kind]["properties"]
        fields["values"] = {"type": "object"}
        del fields["version"]["enum"]
    kept = {kind: specs[kind] for kind in KINDS}
    written = json.dumps(kept, separators=(",", ":"), sort_keys=True)
    Path(__file__).with_name("1.30.0.json").write_text(f"{written}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
