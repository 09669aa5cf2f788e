"""The product's own urls with both baselines beside them, so that one server process answers for all three."""

from django.urls import include, path

from config.urls import urlpatterns as product
from tests.bench import floor, plain

urlpatterns = [
    path("floor/tasks/<int:pk>", floor.task),
    path("floor/delivery/<int:pk>", floor.delivery),
    path("floor/deliveries", floor.create),
    path("plain/", include(plain.router.urls)),
    *product,
]
