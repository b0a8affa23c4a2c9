"""How fast it is, beside what a user would take instead; nothing of it is part of the product.

`measures` times what `peers` do with a `case`, `page` judges it. `waterfall` draws an update that
`record` has noted. Of `lab` it uses what builds programs, of `components` nothing.
"""
