# The commands of the procedure, each after the other, with the files of the objects in $1.
set -eu
cd "$1"

namespace() {
  kubectl create namespace "$1"
  kubectl label namespace "$1" istio-discovery=enabled
  kubectl label namespace "$1" istio.io/dataplane-mode=ambient
  kubectl apply -f "ServiceAccount-$1.yaml" -f "Service-$1.yaml" -f "Deployment-$1.yaml"
}

namespace httpbin
kubectl apply -f Gateway-httpbin-waypoint.yaml
kubectl label service httpbin -n httpbin --overwrite istio.io/ingress-use-waypoint=true
kubectl label namespace httpbin istio.io/use-waypoint=httpbin-waypoint
kubectl apply -f Gateway-httpbin-gateway.yaml
kubectl apply -f HTTPRoute-httpbin-ingress.yaml
kubectl apply -f HTTPRoute-httpbin-waypoint-route.yaml
kubectl wait --for=condition=programmed gtw httpbin-waypoint -n httpbin
namespace curl
