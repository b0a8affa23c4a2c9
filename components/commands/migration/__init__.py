"""Ingresses and VirtualServices turned into a stack's configuration.

Each kind is read into what `routing` knows, in the Gateway API's words; `assembly` makes entries of
a stack of it.
"""
