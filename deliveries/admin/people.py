"""People and their groups at the desk; for admins alone."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count
from django.http import HttpRequest
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget

from deliveries.admin.desk import DeskAdmin, replace
from deliveries.models import Courier
from stores import phones
from stores.actors import Role
from stores.models import User
from stores.refusals import Refused

NO_GROUP = "–"
ROLES = (
    (Role.COURIER.value, "Courier: carries, and has pages of their own"),
    (Role.DISPATCHER.value, "Dispatcher: runs the desk"),
    (Role.STORE_OWNER.value, "Store owner: sees the stores they own"),
    (Role.ADMIN.value, "Admin: may do everything, people and API clients included"),
)


class NewPersonForm(UserCreationForm):
    """Who somebody is, and what they do here."""

    role = forms.ChoiceField(
        choices=[("", "Choose a role"), *ROLES],
        widget=UnfoldAdminSelectWidget,
        help_text="A store owner is put at their stores on the pages of those.",
    )

    def clean_telephone(self) -> str:
        """The number in E.164."""
        try:
            return phones.parse(self.cleaned_data["telephone"], country=settings.RELAIS_COUNTRY)
        except Refused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


@admin.register(User)
class PersonAdmin(DeskAdmin, UserAdmin):  # type: ignore[misc,type-arg]  # the skin narrows what Django leaves open
    """Whoever logs in; what they may do follows from their groups and the stores they own."""

    form = UserChangeForm
    add_form = NewPersonForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("name", "email", "telephone", "roles", "owned", "is_staff", "is_active", "last_login")
    list_filter = (("groups", RelatedDropdownFilter), "is_staff", "is_active", "is_superuser")
    search_fields = ("username", "first_name", "last_name", "email", "telephone")
    filter_horizontal = ()
    autocomplete_fields = ("groups",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Who", {"fields": (("first_name", "last_name"), ("email", "telephone"))}),
        (
            "What they may do",
            {
                "fields": ("is_active", "is_staff", "groups", "is_superuser"),
                "description": "Couriers need no access to the desk: they have pages of their own.",
            },
        ),
        ("When", {"fields": (("last_login", "date_joined"),)}),
    )
    add_fieldsets: Any = (
        (
            None,
            {
                "fields": ("username", ("first_name", "last_name"), "telephone", "role", ("password1", "password2")),
                "description": "Everything somebody needs to begin: whoever is made a courier can be given deliveries at once.",
            },
        ),
    )
    readonly_fields = ("last_login", "date_joined")

    def get_queryset(self, request: HttpRequest) -> Any:
        """People with their groups and the stores they own."""
        return super().get_queryset(request).prefetch_related("groups", "stores")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A new person gets what their role needs: access to the desk, or a place among the couriers."""
        role = None if change else form.cleaned_data.get("role")
        if role:
            obj.is_superuser = role == Role.ADMIN
            obj.is_staff = role != Role.COURIER
        super().save_model(request, obj, form, change)
        if role and role != Role.ADMIN:
            obj.groups.add(Group.objects.get_or_create(name=role)[0])
        if role == Role.COURIER:
            Courier.objects.create(user=obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """In the words of the desk."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in WORDS:
            field.label, field.help_text = WORDS[db_field.name]
        return field

    @display(description="Person", header=True, ordering="username")
    def name(self, user: Any) -> list[str]:
        return [str(user), user.username]

    @display(description="Groups")
    def roles(self, user: Any) -> str:
        names = [group.name for group in user.groups.all()]
        return ", ".join(["admin"] * user.is_superuser + names) or NO_GROUP

    @display(description="Stores")
    def owned(self, user: Any) -> str:
        return ", ".join(store.name for store in user.stores.all()) or NO_GROUP


WORDS = {
    "is_active": ("May log in", "Take this away instead of deleting somebody: what they did stays theirs."),
    "is_staff": ("Has access to the desk", "For dispatchers, admins and store owners."),
    "is_superuser": ("Admin", "May do everything, people and API clients included."),
    "groups": ("Groups", "“dispatcher” runs the desk, “courier” carries, “store owner” sees the stores they own."),
}

replace(Group)


@admin.register(Group)
class GroupAdmin(DeskAdmin):
    """The groups; their names are what counts, and what each may do is the same on every instance."""

    ordering = ("name",)
    list_display = ("name", "people")
    search_fields = ("name",)
    fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Groups with how many are in them."""
        return super().get_queryset(request).annotate(person_total=Count("user"))

    @display(description="People", ordering="person_total")
    def people(self, group: Any) -> int:
        return int(group.person_total)
