"""A real Kubernetes with Istio in ambient mode on one machine, built from package registries.

`commands` uses `node` and `build`, and `node` uses `build`; never the other way round.
"""
