"""What happens when something breaks, round by round; nothing of it is part of the product.

A fault is one round of breaking at a random moment, and of what must hold after it; `rounds` runs
them on a `site`, `page` judges them. What breaks the cluster is of `lab`; of `components` nothing
is imported.
"""
