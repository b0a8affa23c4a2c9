"""The umbrella that most users touch: an exposed service, its arguments, the checks between them.

What can be used without the others is a part, and belongs there.
"""
