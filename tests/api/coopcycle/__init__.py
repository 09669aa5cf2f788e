"""The CoopCycle dialect, over HTTP."""
