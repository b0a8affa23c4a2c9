#!/usr/bin/env bash
# A Kubernetes in Docker with Istio in ambient mode, context kind-kind, for the public tests. The
# programs are downloaded into the folder $1, in these versions alone. Needs Docker and kubectl.
set -euo pipefail

KIND=v0.32.0
KIND_SHA256=50030de23cf40a18505f20426f6a8506bedf13c6e509244bd1fa9463721b0f54
ISTIO=1.31.1
ISTIO_SHA256=cb4af2e8a099acfc51368c1d15d4deab8321ae628554d4ee5c74f62ebe775857
GATEWAY_API=v1.6.0
GATEWAY_API_SHA256=a557172e8348f758479e9ee4000bbbb4b4aa48302a6b73461823ea5349bad56d

folder=${1:?name a folder for the programs}
release=https://github.com

# fetch FILE SHA256 URL
fetch() {
	curl --fail --silent --show-error --location --retry 3 --max-time 300 --output "$folder/$1" "$3"
	echo "$2  $folder/$1" | sha256sum --check --quiet
}

mkdir -p "$folder"
fetch kind "$KIND_SHA256" "$release/kubernetes-sigs/kind/releases/download/$KIND/kind-linux-amd64"
fetch istio.tar.gz "$ISTIO_SHA256" \
	"$release/istio/istio/releases/download/$ISTIO/istio-$ISTIO-linux-amd64.tar.gz"
fetch gateway-api.yaml "$GATEWAY_API_SHA256" \
	"$release/kubernetes-sigs/gateway-api/releases/download/$GATEWAY_API/standard-install.yaml"
chmod +x "$folder/kind"
tar --extract --gzip --file "$folder/istio.tar.gz" --directory "$folder" --strip-components 2 \
	"istio-$ISTIO/bin/istioctl"

"$folder/kind" create cluster --wait 3m
kubectl --context kind-kind apply --server-side --filename "$folder/gateway-api.yaml"
"$folder/istioctl" --context kind-kind install --set profile=ambient --skip-confirmation
