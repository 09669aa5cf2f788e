"""The map of the site: start reading here.

The two dialects are written under the paths their documents give them, so each of them starts at the root: CoopCycle clients
find `/api` and `/oauth2`, HubRise clients `/v1` and `/oauth2/v1`. People find `/admin/`, `/courier/` and their tracking pages.
"""

from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from config.health import healthz, readyz


def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """Lead browsers that ask on their own, as they do for pages without a link to it, to the icon."""
    return HttpResponseRedirect(static("relais/favicon.svg"))


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("favicon.ico", favicon),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("", include("deliveries.api.coopcycle.urls")),
    path("", include("deliveries.api.hubrise.urls")),
    path("", include("deliveries.pages.urls")),
]

handler500 = "config.failures.failed"
