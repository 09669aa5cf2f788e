"""Make the project's own admin site the one every app registers with, and the project's own checks known."""

from django.contrib.admin.apps import AdminConfig

from config import checks

# Importing the module is what registers the checks.
__all__ = ["RelaisAdminConfig", "checks"]


class RelaisAdminConfig(AdminConfig):
    """The Django admin, with our site in the place of the default one."""

    default_site = "config.admin.RelaisAdminSite"
