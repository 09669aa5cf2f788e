"""Tasks: `/api/tasks`, and what couriers and the desk do with them."""

from datetime import date

from django.http import HttpResponse
from rest_framework.request import Request

from deliveries import queries, transitions
from deliveries.api.coopcycle import actions, collections, payloads, rights
from deliveries.api.coopcycle.describing import PAGES, described, query
from deliveries.api.coopcycle.endpoint import Endpoint
from deliveries.api.coopcycle.task_filters import NAMES, TaskFilter
from deliveries.models import Courier, Task
from stores.actors import SYSTEM
from stores.refusals import NotFound

PARAMETERS = (
    query("date", date),
    query("assigned", enum=["yes", "no"]),
    query("organization", description="A store's name."),
    query("pagination", bool),
    *PAGES,
)
SEARCH = collections.Search("/api/tasks", NAMES)


class TaskEndpoint(Endpoint):
    """What calls on one task share."""

    def task(self, pk: int) -> Task:
        """The task, when the actor may see it."""
        row = queries.task(pk, actor=self.by)
        if row is None:
            raise self.missing(Task, pk)
        return row

    def current(self, pk: int) -> payloads.Payload:  # type: ignore[override]  # the path of these calls
        """The task as it is now."""
        return payloads.task(self.task(pk))

    def shown(self, pk: int) -> HttpResponse:
        """The task as it is now, also for a courier who has just given it back."""
        row = queries.task(pk, actor=SYSTEM)
        assert row is not None, "tasks are never deleted"
        return self.resource(payloads.task(row))


class TasksView(Endpoint):
    """All tasks, or a courier's own."""

    right = rights.lists_tasks

    @described("list_tasks", "List tasks", tag="Tasks", lists="Task", parameters=PARAMETERS)
    def get(self, request: Request) -> HttpResponse:
        """Tasks by their latest time, unpaged unless asked."""
        page = collections.Page.read(request, size=30, paged=request.GET.get("pagination") == "true")
        rows = TaskFilter(request._request.GET, queryset=queries.tasks().visible_to(self.by)).qs
        ordered = rows.order_by("before", "-type", "id")
        return self.answer(page.collection("Task", "/api/tasks", ordered, payloads.task_member, search=SEARCH))


class TaskView(TaskEndpoint):
    """One task."""

    right = rights.sees_tasks

    @described("get_task", "Get a task", tag="Tasks", gives="Task")
    def get(self, request: Request, pk: int) -> HttpResponse:
        """The task as it stands: what stores poll."""
        return self.resource(self.current(pk))


class EventsView(TaskEndpoint):
    """What happened to a task."""

    right = rights.sees_tasks

    @described("list_task_events", "List what happened to a task", tag="Tasks", lists="TaskEvent")
    def get(self, request: Request, pk: int) -> HttpResponse:
        """Its events, oldest first."""
        rows = queries.task_events(self.seen(Task.objects, pk))
        page = collections.Page.read(request, size=30, paged=False)
        iri = f"/api/tasks/{pk}/events"
        return self.answer(page.collection("Task", iri, rows, payloads.event, search=collections.Search(iri, SEARCH.names)))


class MoveEndpoint(TaskEndpoint):
    """What the desk does with any task, and couriers with those they hold."""

    right = rights.moves_tasks

    def held(self, pk: int) -> Task:
        """The task, when the actor may move it."""
        row: Task = self.seen(Task.objects.select_related("courier"), pk)
        rights.check_holds(self.by, None if row.courier is None else row.courier.user_id)
        return row


class StartView(MoveEndpoint):
    """On the way."""

    @described("start_task", "Start a task", tag="Tasks", gives="Task", takes="Nothing")
    def put(self, request: Request, pk: int) -> HttpResponse:
        """TODO to DOING; otherwise nothing changes."""
        row = self.held(pk)
        self.read(actions.nothing)
        transitions.start(row, by=self.by, at=self.at)
        return self.shown(pk)


class DoneView(MoveEndpoint):
    """It went well."""

    @described("complete_task", "Complete a task", tag="Tasks", gives="Task", takes="Outcome")
    def put(self, request: Request, pk: int) -> HttpResponse:
        """To DONE."""
        row, outcome = self.held(pk), self.read(actions.outcome)
        transitions.complete(row, by=self.by, at=self.at, notes=outcome.notes, contact_name=outcome.contact_name)
        return self.shown(pk)


class FailedView(MoveEndpoint):
    """It did not."""

    @described("fail_task", "Report that a task failed", tag="Tasks", gives="Task", takes="Outcome")
    def put(self, request: Request, pk: int) -> HttpResponse:
        """To FAILED, with a reason."""
        row, outcome = self.held(pk), self.read(actions.outcome)
        transitions.fail(row, by=self.by, at=self.at, reason=outcome.reason, notes=outcome.notes, contact_name=outcome.contact_name)
        return self.shown(pk)


class UnassignView(MoveEndpoint):
    """Give a task back."""

    @described("unassign_task", "Unassign a task", tag="Tasks", gives="Task", takes="Nothing")
    def put(self, request: Request, pk: int) -> HttpResponse:
        """Take it, with the others of its delivery, from their courier."""
        row = self.held(pk)
        self.read(actions.nothing)
        transitions.unassign(row, by=self.by, at=self.at)
        return self.shown(pk)


class AssignView(TaskEndpoint):
    """Give a task to a courier; couriers take free ones."""

    right = rights.moves_tasks

    def current(self, pk: int) -> payloads.Payload:  # type: ignore[override]  # as above
        """The task as it is now, also for a courier who does not see it yet."""
        row = queries.task(pk, actor=SYSTEM)
        if row is None:
            raise NotFound("Not Found")
        return payloads.task(row)

    @described("assign_task", "Assign a task to a courier", tag="Tasks", gives="Task", takes="Assignment")
    def put(self, request: Request, pk: int) -> HttpResponse:
        """Assign it, with the others of its delivery."""
        row = Task.objects.filter(pk=pk).first()
        if row is None:
            raise NotFound("Not Found")
        courier = self._courier(self.read(actions.courier_name))
        transitions.assign(row, courier, by=self.by, at=self.at)
        return self.shown(pk)

    def _courier(self, username: str) -> Courier:
        courier = queries.couriers_named([username or self.by.name]).first()
        if courier is None:
            raise NotFound(f'There is no courier "{username or self.by.name}".')
        return courier


class DeskEndpoint(TaskEndpoint):
    """What only the desk does."""

    right = rights.runs_the_desk


class CancelView(DeskEndpoint):
    """Not to be done."""

    @described("cancel_task", "Cancel a task", tag="Tasks", gives="Task", takes="Nothing")
    def put(self, request: Request, pk: int) -> HttpResponse:
        """To CANCELLED."""
        row = self.seen(Task.objects, pk)
        self.read(actions.nothing)
        transitions.cancel(row, by=self.by, at=self.at)
        return self.shown(pk)


class RestoreView(DeskEndpoint):
    """To be done after all."""

    @described("restore_task", "Restore a cancelled task", tag="Tasks", gives="Task", takes="Nothing")
    def put(self, request: Request, pk: int) -> HttpResponse:
        """Back to TODO, with the courier it had."""
        row = self.seen(Task.objects, pk)
        self.read(actions.nothing)
        transitions.restore(row, by=self.by, at=self.at)
        return self.shown(pk)


class RescheduleView(DeskEndpoint):
    """At another time."""

    @described("reschedule_task", "Reschedule a task", tag="Tasks", gives="Task", takes="Window")
    def put(self, request: Request, pk: int) -> HttpResponse:
        """Another window, TODO again, and nobody's."""
        row = self.seen(Task.objects, pk)
        after, before = self.read(lambda body: actions.window(body, now=self.at))
        transitions.reschedule(row, after=after, before=before, by=self.by, at=self.at)
        return self.shown(pk)
