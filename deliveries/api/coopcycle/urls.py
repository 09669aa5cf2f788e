"""Every path of this dialect, and the view that answers it."""

from typing import Any

from django.urls import path, re_path, register_converter
from django.urls.converters import IntConverter

from deliveries.api.coopcycle import (
    deliveries,
    feed,
    openapi,
    orders,
    people,
    prices,
    rule_sets,
    site,
    stores,
    tasks,
    webhook_calls,
    webhooks,
)
from deliveries.api.coopcycle.endpoint import Nowhere
from deliveries.api.coopcycle.hydra_docs import ApiDocumentationView, ContextView, EntrypointView


class Id(IntConverter):
    """A number that fits a row's id; anything longer leads nowhere."""

    regex = "[0-9]{1,18}"


register_converter(Id, "id")

urlpatterns: list[Any] = [
    path("oauth2/token", people.OAuth2TokenView.as_view()),
    path("api", EntrypointView.as_view()),
    path("api/contexts/<str:name>", ContextView.as_view()),
    path("api/docs.jsonld", ApiDocumentationView.as_view()),
    path("api/docs", openapi.DocsView.as_view()),
    path("api/docs.json", openapi.OpenApiView.as_view()),
    path("api/settings", site.SettingsView.as_view()),
    path("api/routing/route/<str:points>", site.RouteView.as_view()),
    path("api/login_check", people.LoginView.as_view()),
    path("api/token/refresh", people.RefreshView.as_view()),
    path("api/token/check", people.CheckView.as_view()),
    path("api/me", people.MeView.as_view()),
    path("api/me/location", people.MyLocationView.as_view()),
    path("api/me/stores", stores.MyStoresView.as_view()),
    path("api/me/tasks/<str:date>", people.MyTasksView.as_view()),
    path("api/stores", stores.StoresView.as_view()),
    path("api/stores/<id:pk>", stores.StoreView.as_view()),
    path("api/stores/<id:pk>/deliveries", stores.StoreDeliveriesView.as_view()),
    path("api/addresses/<id:pk>", stores.AddressView.as_view()),
    path("api/orders/<id:pk>", orders.OrderView.as_view()),
    path("api/deliveries", deliveries.DeliveriesView.as_view()),
    path("api/deliveries/<id:pk>", deliveries.DeliveryView.as_view()),
    path("api/deliveries/<id:pk>/pick", deliveries.PickView.as_view()),
    path("api/deliveries/<id:pk>/drop", deliveries.DropView.as_view()),
    path("api/retail_prices/calculate", prices.RetailPriceView.as_view()),
    path("api/pricing_rule_sets", rule_sets.RuleSetsView.as_view()),
    path("api/pricing_rule_sets/<id:pk>", rule_sets.RuleSetView.as_view()),
    path("api/pricing_rule_sets/<id:pk>/applications", rule_sets.ApplicationsView.as_view()),
    path("api/pricing_rules/<id:pk>/evaluate", prices.EvaluateView.as_view()),
    path("api/tasks", tasks.TasksView.as_view()),
    path("api/tasks/<id:pk>", tasks.TaskView.as_view()),
    path("api/tasks/<id:pk>/events", tasks.EventsView.as_view()),
    path("api/tasks/<id:pk>/start", tasks.StartView.as_view()),
    path("api/tasks/<id:pk>/done", tasks.DoneView.as_view()),
    path("api/tasks/<id:pk>/failed", tasks.FailedView.as_view()),
    path("api/tasks/<id:pk>/assign", tasks.AssignView.as_view()),
    path("api/tasks/<id:pk>/unassign", tasks.UnassignView.as_view()),
    path("api/tasks/<id:pk>/cancel", tasks.CancelView.as_view()),
    path("api/tasks/<id:pk>/restore", tasks.RestoreView.as_view()),
    path("api/tasks/<id:pk>/reschedule", tasks.RescheduleView.as_view()),
    path("api/webhooks", webhooks.WebhooksView.as_view()),
    path("api/webhooks/<id:pk>", webhooks.WebhookView.as_view()),
    path("api/webhooks/<id:pk>/state", webhooks.StateView.as_view()),
    path("api/webhooks/<id:pk>/enable", webhooks.EnableView.as_view()),
    path("api/webhooks/<id:pk>/disable", webhooks.DisableView.as_view()),
    path("api/webhooks/<id:pk>/rotate", webhooks.RotateView.as_view()),
    path("api/webhooks/<id:pk>/test", webhook_calls.SendTestView.as_view()),
    path("api/webhooks/<id:pk>/resend", webhooks.ResendFailedView.as_view()),
    path("api/webhooks/<id:pk>/calls", webhook_calls.CallsView.as_view()),
    path("api/webhooks/<id:pk>/calls/<id:call_id>", webhook_calls.CallView.as_view()),
    path("api/webhooks/<id:pk>/calls/<id:call_id>/resend", webhook_calls.ResendView.as_view()),
    path("api/events", feed.FeedView.as_view()),
    path("api/events/<str:key>", feed.EventView.as_view()),
    re_path("^(api|oauth2/token)/", Nowhere.as_view()),
]
