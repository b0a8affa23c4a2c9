"""The parts of an exposure, each of which can be used alone: single nouns, a file each.

A part knows the parts that it is made of, never what it is used for.
"""
