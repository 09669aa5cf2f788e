"""Which scopes a program may ask for: those its row in the database allows, of those there are."""

from typing import Any

from oauth2_provider.scopes import SettingsScopes
from oauth2_provider.settings import oauth2_settings

from stores.models import ApiClient


class AllowedScopes(SettingsScopes):
    """What the OAuth2 server asks before it grants a scope."""

    def get_available_scopes(self, application: ApiClient | None = None, request: Any = None, *args: Any, **kwargs: Any) -> list[str]:
        """The scopes of the client; none for nobody."""
        return [] if application is None else sorted(application.scopes.intersection(oauth2_settings.SCOPES))
