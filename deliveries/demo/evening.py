"""The walkthrough's play: an evening at the demo's first store, told in both dialects."""

import secrets
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from deliveries.demo.stage import Speaker, Stage

Json = Any

ORDERS = "/v1/location/orders"
WEB_SHOP = "The web shop"


class Evening:
    """The people and programs of one store, and what they do one after the other; `house` is {"name", "ref"}."""

    def __init__(self, stage: Stage, demo: Json, *, house: dict[str, str], now: datetime) -> None:
        self.stage, self.demo, self.house, self.now = stage, demo, house, now.replace(microsecond=0)
        self.store = demo["stores"][0]
        self.till = Speaker.hubrise("The store's till", self.store["token"])
        self.outside = demo["carriers"][0]
        self.carrier = Speaker.hubrise(self.outside["name"], self.outside["token"])
        self.dispatcher = self.courier = self.second_courier = self.web_shop = Speaker.stranger("Nobody")

    def play(self) -> None:
        """Everything, in order."""
        self.log_in()
        self.an_order_carried_by_the_house()
        self.an_order_carried_by_another()
        self.a_delivery_asked_for_by_a_web_shop()
        self.a_failure_that_ends_well()

    def log_in(self) -> None:
        """People show a password and get a token; so does a program that shows its secret."""
        self.stage.act("Who is there")
        people = self.demo["people"]
        self.dispatcher = self._person("The dispatcher", people["dispatcher"])
        self.courier, self.second_courier = (
            self._person(name, login) for name, login in zip(("A courier", "Another courier"), people["couriers"], strict=False)
        )
        me = self.stage.call(self.courier, "GET", "/api/me")
        self.stage.expect("the courier is a courier", "ROLE_COURIER" in me["roles"], True)
        program = Speaker.client(WEB_SHOP, self.store["client_id"], self.store["client_secret"])
        grant = {"grant_type": "client_credentials", "scope": "tasks deliveries"}
        granted = self.stage.call(program, "POST", "/oauth2/token", form=grant)
        self.stage.expect("the token lasts an hour", (granted["token_type"], granted["expires_in"]), ("Bearer", 3600))
        self.web_shop = Speaker.coopcycle(WEB_SHOP, granted["access_token"])

    def an_order_carried_by_the_house(self) -> None:
        """A till's order, two quotes, and the house's couriers: said in one dialect, done in the other."""
        self.stage.act("An order comes in, two carriers offer, the house takes it")
        order = self._order("Hélène", "Garnier", "48 Rue de Rivoli", "75004", [("Parmentier de canard", "14.90", 2)])
        self.stage.expect("its total is added up", order["total"], "29.80 EUR")
        house, outside = self._two_quotes(order)
        accepted = self.stage.call(self.till, "POST", f"{ORDERS}/{order['id']}/delivery_quotes/{house['id']}/accept")
        self.stage.expect_given("the house's quote is accepted", accepted["accepted_at"])
        listed = self.stage.call(self.till, "GET", f"{ORDERS}/{order['id']}/delivery_quotes")
        open_ones = [quote["id"] for quote in listed if quote["accepted_at"] is None]
        self.stage.expect("the other one is still open", open_ones, [outside["id"]])

        delivery = self._delivery(order, "pending")
        self.stage.expect("the house carries", (delivery["carrier_ref"], delivery["fee"]), (self.house["ref"], "3.90 EUR"))
        pickup, dropoff = self._tasks(order, delivery)

        self.stage.tell("The dispatcher gives both tasks to a courier, who rides.")
        self._assign(pickup, 0)
        self.stage.expect("the dropoff goes along", self._task(dropoff)["isAssigned"], True)
        self._move(pickup, "start", "DOING")
        self.stage.expect_given("assigned_at is set", self._delivery(order, "pickup_enroute")["assigned_at"])
        early = self.stage.call(self.courier, "PUT", f"{dropoff}/done", {}, status=400)
        self.stage.expect_given("the dropoff cannot come first", "must be completed first" in early["hydra:description"])
        self._move(pickup, "done", "DONE", notes="Two bags, still hot")
        self.stage.expect_given("pickup_at is set", self._delivery(order, "dropoff_enroute")["pickup_at"])
        self._move(dropoff, "done", "DONE", contactName="Hélène Garnier")
        self.stage.expect_given("delivered_at is set", self._delivery(order, "delivered")["delivered_at"])
        done = self.stage.call(self.till, "GET", f"{ORDERS}/{order['id']}")
        self.stage.expect("the order is completed", done["status"], "completed")

    def an_order_carried_by_another(self) -> None:
        """The same, with an outside carrier, whose word the tasks follow."""
        self.stage.act("A second order goes to an outside carrier")
        items = [("Velouté de potiron", "6.50", 1), ("Tarte fine aux pommes", "7.20", 2)]
        order = self._order("Omar", "Haddad", "55 Rue du Faubourg Saint-Honoré", "75008", items)
        _, outside = self._two_quotes(order)
        self.stage.call(self.till, "POST", f"{ORDERS}/{order['id']}/delivery_quotes/{outside['id']}/accept")
        self.stage.tell("Nothing is booked yet: that is for the carrier to do, who sees that it was chosen.")
        self.stage.call(self.till, "GET", f"{ORDERS}/{order['id']}/delivery", status=404)
        path = f"/v1/locations/{self.store['location_id']}/orders/{order['id']}"
        seen = self.stage.call(self.carrier, "GET", f"{path}/delivery_quotes/{outside['id']}")
        self.stage.expect_given("the carrier sees it", seen["accepted_at"])

        said = {"carrier": self.outside["name"], "carrier_ref": self.outside["ref"], "ref": "PE-20417", "fee": "4.50 EUR"}
        times = {"estimated_pickup_at": self._in(25), "estimated_dropoff_at": self._in(50)}
        created = self.stage.call(self.carrier, "POST", f"{path}/delivery", {**said, **times, "status": "pending"})
        pickup, dropoff = self._tasks(order, created)
        self.stage.call(self.carrier, "POST", f"{path}/delivery", {**said, "status": "pending"}, status=422)
        refused = self.stage.call(self.dispatcher, "PUT", f"{pickup}/assign", {"username": self._couriers()[0]}, status=400)
        self.stage.expect_given("no courier of the house is given it", self.outside["name"] in refused["hydra:description"])

        self.stage.tell("The carrier reports, and the tasks follow.")
        driver = {"driver_name": "Marion", "driver_phone": "+33639980032"}
        for status, more, tasks in (
            ("pickup_enroute", driver, ("DOING", "TODO")),
            ("dropoff_enroute", {"driver_latitude": "48.868112", "driver_longitude": "2.3284005"}, ("DONE", "TODO")),
            ("delivered", {}, ("DONE", "DONE")),
        ):
            reported = self.stage.call(self.carrier, "PATCH", f"{path}/delivery", {"status": status, **more})
            self.stage.expect(f"the delivery is {status}", reported["status"], status)
            found = (self._task(pickup)["status"], self._task(dropoff)["status"])
            self.stage.expect(f"the tasks are {' and '.join(tasks)}", found, tasks)
        self.stage.expect_given("each moment is kept", reported["assigned_at"] and reported["pickup_at"] and reported["delivered_at"])
        self.stage.tell("With an outside carrier, the order is the store's to close.")
        closed = self.stage.call(self.till, "PATCH", f"{ORDERS}/{order['id']}", {"status": "completed"})
        self.stage.expect("the order is completed", closed["status"], "completed")

    def a_delivery_asked_for_by_a_web_shop(self) -> None:
        """The Stores document's own request, followed until both tasks are done."""
        self.stage.act("A web shop asks for a delivery and polls it")
        body = {
            "pickup": {"address": "24, Rue de la Paix, Paris, France", "before": "tomorrow 12:00"},
            "dropoff": {"address": "48, Rue de Rivoli, Paris, France", "before": "tomorrow 13:30"},
        }
        delivery = self.stage.call(self.web_shop, "POST", "/api/deliveries", body, status=201)
        self.stage.expect("it is a delivery", delivery["@type"], "http://schema.org/ParcelDelivery")
        pickup, dropoff = delivery["pickup"]["@id"], delivery["dropoff"]["@id"]
        self.stage.expect("its tasks are to do", (delivery["pickup"]["status"], delivery["dropoff"]["status"]), ("TODO", "TODO"))
        self._assign(pickup, 0)
        for task in (pickup, dropoff):
            self.stage.expect("the shop sees it open", self._task(task, self.web_shop)["status"], "TODO")
            self._move(task, "start", "DOING")
            self._move(task, "done", "DONE")
            self.stage.expect("the shop sees it done", self._task(task, self.web_shop)["status"], "DONE")
        self.stage.tell("The same delivery in the other language: the till can read it, too.")
        number = delivery["order"]["number"]
        read = self.stage.call(self.till, "GET", f"{ORDERS}/{number}/delivery")
        self.stage.expect("the delivery is delivered", read["status"], "delivered")
        self.stage.tell("And the recipient has a page for it.")
        page = self.stage.call(Speaker("The recipient", "a browser"), "GET", urlsplit(delivery["trackingUrl"]).path)
        self.stage.expect_given("it is a page", "<html" in page)

    def a_failure_that_ends_well(self) -> None:
        """Nobody at home; the dispatcher makes another appointment, and another courier keeps it."""
        self.stage.act("Nobody opens, and it is tried again")
        shop = Speaker.coopcycle(f"{WEB_SHOP}, with its key", self.store["api_key"])
        body = {
            "store": f"/api/stores/{self.store['id']}",
            "dropoff": {
                "address": {"streetAddress": "6 Place des Vosges, 75004 Paris", "contactName": "Sofia Benali", "telephone": "0639980102"},
                "before": self._in(90),
                "comments": "Green door under the arcade",
                "packages": [{"type": "XL", "quantity": 1}],
                "weight": 4200,
                "tags": ["fragile"],
            },
        }
        delivery = self.stage.call(shop, "POST", "/api/deliveries", body, status=201)
        pickup, dropoff, number = delivery["pickup"]["@id"], delivery["dropoff"]["@id"], delivery["order"]["number"]
        self.stage.expect("the pickup is at the store", self._task(pickup)["address"]["name"], self.store["name"])
        self._assign(pickup, 0)
        self._move(pickup, "done", "DONE")
        self._move(dropoff, "failed", "FAILED", reason="NOT_AT_HOME", notes="Rang twice")
        self.stage.expect("the till sees it called off", self._read(number)["status"], "cancelled")

        window = {"after": self._in(24 * 60), "before": self._in(25 * 60)}
        again = self.stage.call(self.dispatcher, "PUT", f"{dropoff}/reschedule", window)
        self.stage.expect("the dropoff is to do again, by nobody yet", (again["status"], again["isAssigned"]), ("TODO", False))
        self.stage.expect("the till sees it under way again", self._read(number)["status"], "dropoff_enroute")
        self._assign(dropoff, 1)
        self._move(dropoff, "done", "DONE", by=self.second_courier, notes="Handed over")
        events = self.stage.call(self.dispatcher, "GET", f"{dropoff}/events")["hydra:member"]
        told = [event["name"] for event in events]
        self.stage.expect_member("the log tells of the failure", "task:failed", told)
        self.stage.expect_member("and of the second attempt", "task:rescheduled", told)
        self.stage.expect("the till sees it delivered", self._read(number)["status"], "delivered")

    # What they do more than once

    def _person(self, name: str, login: dict[str, str]) -> Speaker:
        form = {"_username": login["username"], "_password": login["password"]}
        answer = self.stage.call(Speaker.stranger(name), "POST", "/api/login_check", form=form)
        return Speaker.coopcycle(f"{name} ({login['username']})", answer["token"])

    def _couriers(self) -> list[str]:
        return [login["username"] for login in self.demo["people"]["couriers"]]

    def _in(self, minutes: int) -> str:
        return (self.now + timedelta(minutes=minutes)).isoformat()

    def _order(self, first: str, last: str, street: str, postal_code: str, items: list[tuple[str, str, int]]) -> Json:
        body = {
            "status": "new",
            "ref": f"W-{secrets.token_hex(3)}",
            "service_type": "delivery",
            "expected_time": self._in(60),
            "items": [{"product_name": name, "price": f"{price} EUR", "quantity": str(quantity)} for name, price, quantity in items],
            "customer": {
                "first_name": first,
                "last_name": last,
                "phone": "+33639980101",
                "address_1": street,
                "postal_code": postal_code,
                "city": "Paris",
                "country": "FR",
            },
        }
        return self.stage.call(self.till, "POST", ORDERS, body)

    def _two_quotes(self, order: Json) -> tuple[Json, Json]:
        times = {"estimated_pickup_at": self._in(30), "estimated_dropoff_at": self._in(55)}
        house = {"carrier": self.house["name"], "carrier_ref": self.house["ref"], "ref": "H-1", "fee": "3.90 EUR", **times}
        by_house = self.stage.call(self.till, "POST", f"{ORDERS}/{order['id']}/delivery_quotes", house)
        outside = {"carrier": self.outside["name"], "carrier_ref": self.outside["ref"], "ref": "Q-20417", "fee": "4.50 EUR"}
        path = f"/v1/locations/{self.store['location_id']}/orders/{order['id']}/delivery_quotes"
        return by_house, self.stage.call(self.carrier, "POST", path, outside)

    def _delivery(self, order: Json, status: str) -> Json:
        delivery = self.stage.call(self.till, "GET", f"{ORDERS}/{order['id']}/delivery")
        self.stage.expect(f"the till reads {status}", delivery["status"], status)
        return delivery

    def _read(self, order_id: str) -> Json:
        return self.stage.call(self.till, "GET", f"{ORDERS}/{order_id}/delivery")

    def _tasks(self, order: Json, delivery: Json) -> tuple[str, str]:
        """Where the two tasks of a till's order are found in the other dialect: on the desk's list of the day."""
        days = sorted({delivery["estimated_pickup_at"][:10], delivery["estimated_dropoff_at"][:10]})
        listed = [task for day in days for task in self.stage.call(self.dispatcher, "GET", f"/api/tasks?date={day}")["hydra:member"]]
        found = {task["type"]: task for task in listed if task["metadata"].get("order_number") == order["ref"]}
        self.stage.expect("the desk sees both tasks", sorted(found), ["DROPOFF", "PICKUP"])
        self.stage.expect("they are to do", {task["status"] for task in found.values()}, {"TODO"})
        return found["PICKUP"]["@id"], found["DROPOFF"]["@id"]

    def _task(self, task: str, by: Speaker | None = None) -> Json:
        return self.stage.call(by or self.dispatcher, "GET", task)

    def _assign(self, task: str, courier: int) -> None:
        username = self._couriers()[courier]
        assigned = self.stage.call(self.dispatcher, "PUT", f"{task}/assign", {"username": username})
        self.stage.expect(f"{username} has it", assigned["assignedTo"], username)

    def _move(self, task: str, verb: str, status: str, *, by: Speaker | None = None, **said: str) -> None:
        moved = self.stage.call(by or self.courier, "PUT", f"{task}/{verb}", said)
        self.stage.expect(f"the {moved['type'].lower()} is {status}", moved["status"], status)
