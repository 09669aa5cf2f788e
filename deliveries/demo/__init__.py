"""A small believable city day to try the product with, and an evening played against it over HTTP.

`city` and `day` are data: who is there, and what happens. `founding` makes the rows of the city, `playing` lets the day
happen through the core up to the present moment, `keys` keeps `demo.json`, and `loading` does all of it once. `stage` and
`evening` are the walkthrough: a client that speaks both dialects, and what it says.
"""
