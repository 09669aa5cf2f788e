"""What an actor may be, told from who they are."""

import pytest

from stores.actors import SYSTEM, Actor, ActorKind, Role


def person(*roles: Role, stores: tuple[int, ...] = ()) -> Actor:
    return Actor(kind=ActorKind.USER, name="ada", user_id=1, roles=frozenset(roles), store_ids=frozenset(stores))


@pytest.mark.parametrize(
    ("actor", "runs_the_desk", "is_admin", "is_courier_only"),
    [
        (SYSTEM, True, False, False),
        (person(Role.ADMIN), True, True, False),
        (person(Role.DISPATCHER), True, False, False),
        (person(Role.DISPATCHER, Role.COURIER), True, False, False),
        (person(Role.ADMIN, Role.COURIER), True, True, False),
        (person(Role.COURIER), False, False, True),
        (person(Role.COURIER, Role.STORE_OWNER), False, False, True),
        (person(Role.STORE_OWNER), False, False, False),
        (person(), False, False, False),
        (Actor(kind=ActorKind.CLIENT, name="shop"), False, False, False),
    ],
)
def test_who_runs_the_desk(actor: Actor, runs_the_desk: bool, is_admin: bool, is_courier_only: bool) -> None:
    assert (actor.runs_the_desk, actor.is_admin, actor.is_courier_only) == (runs_the_desk, is_admin, is_courier_only)


@pytest.mark.parametrize(("stores", "only"), [((), None), ((7,), 7), ((7, 8), None)])
def test_the_store_of_whoever_speaks_for_one(stores: tuple[int, ...], only: int | None) -> None:
    assert person(stores=stores).only_store_id == only


def test_an_actor_cannot_be_changed_on_the_way() -> None:
    with pytest.raises(AttributeError):
        SYSTEM.name = "somebody"  # type: ignore[misc]  # that it cannot be assigned is what is tested
