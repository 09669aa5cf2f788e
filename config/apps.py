"""Make the project's own admin site the one every app registers with."""

from django.contrib.admin.apps import AdminConfig


class RelaisAdminConfig(AdminConfig):
    """The Django admin, with our site in the place of the default one."""

    default_site = "config.admin.RelaisAdminSite"
