"""Two dialects over one set of rows; each is a folder, written after the outside document that defines it.

A dialect authorises, parses, calls the core once, and renders; the rules are the core's. It may import all of the core
and never the other dialect. Reads go through `visible_to(actor)`, refusals of the core are turned into the dialect's own
words by one table (`errors`), and nothing here writes a row by itself.

What HTTP itself asks of both stands beside them: `once` carries out once what comes twice under an `Idempotency-Key`, and
`conditional` gives single resources an `ETag` and judges what refers to it. The base class of each dialect's views applies
them to every POST and PATCH, and to every change whose view says what it changes (`current`).
"""
