"""Every version the lab pins outside a lock file.

The Go modules' exact versions and checksums are in `tools/<upstream>/go.mod` and `go.sum`, those
of PyPI wheels in `tools/pypi/*.txt`, those of Debian packages in `tools/debian/packages.lock`;
a test holds them equal to the names here.
"""

from typing import Final

KUBERNETES: Final = "v1.35.4"
ETCD: Final = "v3.6.5"
COREDNS: Final = "v1.15.0"
METALLB: Final = "v0.15.2"
GATEWAY_API: Final = "v1.6.0"
HTTPBIN: Final = "v2.15.0"
EXTERNAL_DNS: Final = "v0.22.0"
PULUMI: Final = "v3.274.1"
PULUMI_LANGUAGE_PYTHON: Final = "v3.75.0"
PULUMI_LANGUAGE_NODEJS: Final = "v3.60.0"
PULUMI_YAML: Final = "v1.25.0"
ENVOY: Final = "1.40.0"
VERSITYGW: Final = "v1.8.0"

PULUMI_KUBERNETES: Final = "4.25.0"
"""The release whose commit the pinned module of Pulumi's Kubernetes provider is."""

ISTIO: Final = "1.31.0"
"""The release whose branch the pinned Istio module is a commit of."""

ISTIO_PROXY: Final = "1.29.1"
"""The version the proxies report, older than istiod: upstream Envoy lacks a factory that istiod
sends to newer proxies only."""

HTTPBIN_IMAGE: Final = f"docker.io/mccutchen/go-httpbin:{HTTPBIN}"
CURL_IMAGE: Final = "docker.io/curlimages/curl:8.16.0"
ECHO_IMAGE: Final = f"docker.io/istio/app:{ISTIO}"
PAUSE_IMAGE: Final = "docker.io/lab/pause:1"
ISTIOD_IMAGE: Final = f"docker.io/lab/istiod:{ISTIO}"
PROXY_IMAGE: Final = f"docker.io/lab/proxyv2:{ISTIO}"
INSTALL_CNI_IMAGE: Final = f"docker.io/lab/install-cni:{ISTIO}"
ZTUNNEL_IMAGE: Final = f"docker.io/lab/ztunnel:{ISTIO}"
COREDNS_IMAGE: Final = f"docker.io/lab/coredns:{COREDNS}"
METALLB_IMAGE: Final = f"docker.io/lab/metallb-controller:{METALLB}"
