"""Plain DRF: ordinary ModelSerializers and ModelViewSets over the same rows, with the same token check."""

from typing import Any, TypeVar

from django.db import models, transaction
from django.utils import timezone
from rest_framework import serializers, viewsets
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter

from deliveries.models import Courier, Delivery, Event, Task
from stores.models import Address, Order, Tag, User
from tests.bench.tokens import holder

M = TypeVar("M", bound=models.Model)


class TokenAuthentication(BaseAuthentication):
    """Whoever holds the token is somebody."""

    def authenticate(self, request: Request) -> tuple[User, object] | None:
        row = holder(request._request)
        return None if row is None else (User(username="client", is_active=True), row)


class AddressSerializer(serializers.ModelSerializer[Address]):
    class Meta:
        model = Address
        fields = "__all__"


class TagSerializer(serializers.ModelSerializer[Tag]):
    class Meta:
        model = Tag
        fields = ("name", "slug", "color")


class CourierSerializer(serializers.ModelSerializer[Courier]):
    class Meta:
        model = Courier
        fields = "__all__"


class TaskSerializer(serializers.ModelSerializer[Task]):
    address = AddressSerializer()
    tags = TagSerializer(many=True, read_only=True)
    courier = CourierSerializer(read_only=True)

    class Meta:
        model = Task
        exclude = ("store",)
        read_only_fields = ("created_at", "updated_at", "delivery")


class OrderSerializer(serializers.ModelSerializer[Order]):
    class Meta:
        model = Order
        fields = "__all__"


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    order = OrderSerializer(read_only=True)
    tasks = TaskSerializer(many=True)

    class Meta:
        model = Delivery
        fields = "__all__"
        read_only_fields = ("created_at", "updated_at")

    def create(self, validated_data: dict[str, Any]) -> Delivery:
        now = timezone.now()
        stops = validated_data.pop("tasks")
        store = validated_data["store"]
        with transaction.atomic():
            order = Order.objects.create(store=store, status="new", service_type="delivery", created_at=now, updated_at=now)
            delivery = Delivery.objects.create(order=order, created_at=now, updated_at=now, **validated_data)
            for stop in stops:
                address = Address.objects.create(**stop.pop("address"))
                task = Task.objects.create(store=store, delivery=delivery, address=address, created_at=now, updated_at=now, **stop)
                Event.objects.create(kind="task.created", store=store, task=task, delivery=delivery, happened_at=now, actor_kind="client")
            Event.objects.create(kind="delivery.created", store=store, delivery=delivery, happened_at=now, actor_kind="client")
        return delivery


class Plain(viewsets.ModelViewSet[M]):
    """What the viewsets share."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (IsAuthenticated,)
    renderer_classes = (JSONRenderer,)


class TaskViewSet(Plain[Task]):
    queryset = Task.objects.select_related("address", "courier").prefetch_related("tags").order_by("pk")
    serializer_class = TaskSerializer


class DeliveryViewSet(Plain[Delivery]):
    queryset = (
        Delivery.objects.select_related("order")
        .prefetch_related("tasks__address", "tasks__tags", "tasks__courier")
        .order_by("-created_at", "-pk")
    )
    serializer_class = DeliverySerializer

    def get_queryset(self) -> Any:
        store = self.request.query_params.get("store")
        rows = super().get_queryset()
        return rows.filter(store_id=store)[:30] if store else rows


router = SimpleRouter(trailing_slash=False)
router.register("tasks", TaskViewSet)
router.register("deliveries", DeliveryViewSet)
