"""Pages for people without a desk: the recipient who follows a delivery, the courier who makes it.

`urls` says what is where; each page is one module with its view and what the view shows. Pages work without any
script, ask the core for rows and verbs, and keep their words in `wording`.
"""
