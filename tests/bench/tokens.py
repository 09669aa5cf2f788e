"""The token check that both baselines share: one statement, the same as the product's."""

from django.db import connection
from django.http import HttpRequest

from stores.credentials import digest

ACCESS_TOKEN = (
    "SELECT token.scope, client.* FROM oauth2_provider_accesstoken token JOIN stores_apiclient client ON client.id = token.application_id "
    "LEFT JOIN stores_store store ON store.id = client.store_id WHERE token.token_checksum = %s AND token.expires > now()"
)
CONNECTION = (
    "SELECT connection.scopes, connection.store_id, client.* FROM stores_connection connection JOIN stores_apiclient client "
    "ON client.id = connection.client_id LEFT JOIN stores_store store ON store.id = connection.store_id "
    "WHERE connection.digest = %s AND connection.revoked_at IS NULL"
)


def holder(request: HttpRequest) -> tuple[object, ...] | None:
    """The row of whoever holds the token of this request, by a statement of our own; None for nobody."""
    with connection.cursor() as cursor:
        token = request.headers.get("X-Access-Token")
        if token is not None:
            cursor.execute(CONNECTION, [digest(token)])
        else:
            cursor.execute(ACCESS_TOKEN, [digest(request.headers["Authorization"].removeprefix("Bearer "))])
        row: tuple[object, ...] | None = cursor.fetchone()
    return row
