"""A real Kubernetes with Istio in ambient mode on one machine, built from package registries."""
