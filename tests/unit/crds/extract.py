"""Writes what the tests compare of the Gateway API's CRDs: the shape of each kind's spec.

Usage: python tests/unit/crds/extract.py FILE...

FILE are CRDs in YAML of one version of the API, as they stand in `config/crd/standard` of the Go
module `sigs.k8s.io/gateway-api`; `go mod download -json sigs.k8s.io/gateway-api@v1.6.0` names the
folder. The result stands beside this script, named after the version that the CRDs carry.
Descriptions, defaults, limits and rules are dropped; of several versions of a kind it is the
stored one.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

KEPT = ("type", "enum", "required")


def skeleton(schema: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {key: schema[key] for key in KEPT if key in schema}
    if properties := schema.get("properties"):
        kept["properties"] = {name: skeleton(field) for name, field in properties.items()}
    for key in ("items", "additionalProperties"):
        if key in schema:
            kept[key] = skeleton(schema[key])
    return kept


def spec(crd: dict[str, Any]) -> dict[str, Any]:
    stored = next(version for version in crd["spec"]["versions"] if version["storage"])
    return skeleton(stored["schema"]["openAPIV3Schema"]["properties"]["spec"])


def main(files: list[str]) -> None:
    crds = [yaml.safe_load(Path(file).read_text(encoding="utf-8")) for file in files]
    [version] = {
        crd["metadata"]["annotations"]["gateway.networking.k8s.io/bundle-version"] for crd in crds
    }
    specs = {crd["spec"]["names"]["kind"]: spec(crd) for crd in crds}
    written = json.dumps(specs, separators=(",", ":"), sort_keys=True)
    Path(__file__).with_name(f"{version}.json").write_text(f"{written}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
