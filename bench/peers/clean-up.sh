# The clean-up of the procedure.
set -eu
for name in curl httpbin; do
  kubectl label namespace "$name" istio.io/dataplane-mode-
done
for name in curl httpbin; do
  kubectl delete namespace "$name"
done
