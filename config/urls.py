"""The map of the site: start reading here.

The two dialects are written under the paths their documents give them, so each of them starts at the root: CoopCycle clients
find `/api` and `/oauth2`, HubRise clients `/v1` and `/oauth2/v1`. People find `/admin/`, `/courier/` and their tracking pages.
"""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config.health import healthz

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("admin/", admin.site.urls),
    path("", include("deliveries.api.coopcycle.urls")),
    path("", include("deliveries.api.hubrise.urls")),
    path("", include("deliveries.pages.urls")),
]
