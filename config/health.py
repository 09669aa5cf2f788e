"""One question for load balancers: does this process run, and does it reach its database?"""

import psycopg
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

LONGEST_WAIT_S = 2
RETRY_AFTER_S = 5


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers, 503 within three seconds when it does not.

    Asks over a connection of its own: the ones that requests share may wait longer for a server that is gone.
    """
    try:
        options = {**connection.get_connection_params(), "connect_timeout": LONGEST_WAIT_S, "tcp_user_timeout": LONGEST_WAIT_S * 1000}
        with psycopg.connect(**options) as asked:
            asked.execute("SELECT 1")
    except psycopg.Error:
        return JsonResponse({"status": "database unreachable"}, status=503, headers={"Retry-After": str(RETRY_AFTER_S)})
    return JsonResponse({"status": "ok"})
