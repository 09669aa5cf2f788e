"""The HubRise dialect, tested over HTTP."""
