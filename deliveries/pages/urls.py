"""Where the pages are."""

from django.contrib.auth.views import LogoutView
from django.urls import path, re_path
from django.views.generic import RedirectView, TemplateView

from deliveries.pages import courier, tracking

urlpatterns = [
    path("", TemplateView.as_view(template_name="pages/home.html"), name="home"),
    re_path(r"^(?P<locale>en|fr)/pub/d/(?P<token>[A-Za-z0-9_-]+)$", tracking.tracking, name="tracking"),
    path("courier", RedirectView.as_view(pattern_name="courier")),
    path("courier/", courier.day, name="courier"),
    path("courier/login", courier.CourierLogin.as_view(), name="courier_login"),
    path("courier/logout", LogoutView.as_view(next_page="courier_login"), name="courier_logout"),
    path("courier/tasks/<int:pk>/start", courier.start, name="courier_start"),
    path("courier/tasks/<int:pk>/done", courier.done, name="courier_done"),
    path("courier/tasks/<int:pk>/failed", courier.failed, name="courier_failed"),
]
