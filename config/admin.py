"""The one admin site of the instance."""

from unfold.sites import UnfoldAdminSite


class RelaisAdminSite(UnfoldAdminSite):
    """The dispatch desk; its looks and its navigation come from the `UNFOLD` setting."""
