"""What is done with a stack beside its updates, a module for each command of `__main__`.

Reads configurations, states, previews, clusters and manifests of others; makes no resources.
"""
