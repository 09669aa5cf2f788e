"""Tell browsers what each page may load: nothing from elsewhere, and no script that is written into a page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

BASE = {
    "default-src": "'self'",
    "img-src": "'self' data: blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# The admin's skin evaluates the expressions of its attributes and styles elements in place.
ADMIN = BASE | {"script-src": "'self' 'unsafe-inline' 'unsafe-eval'", "style-src": "'self' 'unsafe-inline'"}
# The interactive API pages style elements in place; their start-up script is served as a file of its own.
API_DOCS = BASE | {"style-src": "'self' 'unsafe-inline'"}
BY_PREFIX = (("/admin/", ADMIN), ("/api/docs", API_DOCS), ("/v1/docs", API_DOCS))

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def _written(policy: dict[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in policy.items())


WRITTEN_BASE = _written(BASE)
WRITTEN_BY_PREFIX = tuple((prefix, _written(policy)) for prefix, policy in BY_PREFIX)


class ContentSecurityPolicyMiddleware:
    """Add the policy of the page's part of the site, unless the page has set one itself."""

    def __init__(self, get_response: GetResponse) -> None:
        """Remember the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on, and sign the answer with a policy."""
        response = self.get_response(request)
        policy = next((written for prefix, written in WRITTEN_BY_PREFIX if request.path.startswith(prefix)), WRITTEN_BASE)
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
