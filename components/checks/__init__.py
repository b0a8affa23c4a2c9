"""How values are checked: faults and messages, checks of single values, schemas of whole ones,
rules between fields that recur.

Nothing here knows Kubernetes objects or components; every other package may use it.
"""
