"""Locations and the account they belong to, to read."""

from django.http import HttpResponse
from rest_framework.request import Request

from deliveries.api.hubrise import answers, payloads, reach
from deliveries.api.hubrise.endpoint import AccountEndpoint, Answer, Endpoint, Resource
from deliveries.api.hubrise.openapi import describe


class Location(Endpoint):
    """One location; any token that reaches it may read it."""

    needs_scope = False

    @describe("Locations and accounts", "Retrieve a location", answers.Location)
    def get(self, request: Request, location_id: str | None = None) -> HttpResponse:
        """Retrieve a location."""
        return Resource(payloads.location(reach.store(self.caller, location_id)))


class Locations(AccountEndpoint):
    """Every location of the account."""

    needs_scope = False

    @describe("Locations and accounts", "List locations", answers.Location(many=True))
    def get(self, request: Request) -> HttpResponse:
        """List the locations of the account."""
        return Answer([payloads.location(row) for row in reach.stores(self.caller)])


class Account(AccountEndpoint):
    """The account."""

    needs_scope = False

    @describe("Locations and accounts", "Retrieve an account", answers.Account)
    def get(self, request: Request, account_id: str | None = None) -> HttpResponse:
        """Retrieve the account of the token."""
        return Resource(payloads.account(reach.account(self.caller, account_id)))
