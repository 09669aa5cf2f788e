"""Both dialects, over HTTP."""
