"""Every "no" of the core: a stable code, a sentence, and the field it is about."""

from typing import ClassVar

Path = tuple[str | int, ...]


class Refused(Exception):
    """The core says no.

    `code` is stable and belongs to the class: each dialect has one word for it. `str(refusal)` is a sentence a
    person can read. `path` names the field in the core's own terms, such as `("tasks", 0, "before")`; it is empty
    when no single field is at fault.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, message: str, *, path: Path = ()) -> None:
        super().__init__(message)
        self.path = path


class Invalid(Refused):
    """Input that cannot be carried out as sent; `problems` names every field at once."""

    code = "invalid"

    def __init__(self, *problems: Refused) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


class Missing(Refused):
    """A value that must be given is not there."""

    code = "missing"


class NotFound(Refused):
    """What was named does not exist, or not for whoever asks."""

    code = "not_found"


class NotAllowed(Refused):
    """The caller is known and may not do this."""

    code = "not_allowed"
