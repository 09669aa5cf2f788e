"""What `manage.py check` says about settings that Django cannot know to be wrong."""

from collections.abc import Sequence
from typing import Any

import moneyed
import phonenumbers
from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 -- Django's own name

from deliveries.tracking_links import LANGUAGES
from stores.distances import build_router
from stores.places import build_geocoder

AppConfigs = Sequence[AppConfig] | None


@register(Tags.security)
def check_encryption_key(app_configs: AppConfigs, **kwargs: Any) -> list[CheckMessage]:
    """E001: secrets that must be readable again need a key of their own in production; E002: it must be a Fernet key."""
    if not settings.ENCRYPTION_KEY:
        return [
            Error(
                "ENCRYPTION_KEY is not set.",
                hint="Make one: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'",
                id="relais.E001",
            )
        ]
    try:
        Fernet(settings.ENCRYPTION_KEY)
    except ValueError:
        return [Error("ENCRYPTION_KEY is not a Fernet key: 32 bytes in URL-safe base64.", id="relais.E002")]
    return []


@register(Tags.security)
def check_database(app_configs: AppConfigs, **kwargs: Any) -> list[CheckMessage]:
    """E007: the embedded PostgreSQL is for trying it out; nobody backs it up, and it stops with the last process."""
    if settings.PRODUCTION and settings.EMBEDDED_POSTGRES is not None:
        return [Error("DATABASE_URL is not set.", hint="As postgres://user:password@host:5432/name", id="relais.E007")]
    return []


@register(Tags.security, deploy=True)
def check_not_for_show(app_configs: AppConfigs, **kwargs: Any) -> list[CheckMessage]:
    """W001: debug pages tell too much; W002: a demo has known passwords; W003: webhooks may reach what is behind the firewall."""
    messages: list[CheckMessage] = []
    if settings.DEBUG:
        messages.append(Warning("RELAIS_DEBUG is on.", hint="Unset it wherever others can reach the site.", id="relais.W001"))
    if settings.DEMO:
        messages.append(Warning("RELAIS_DEMO is on.", hint="Set SECRET_KEY and unset RELAIS_DEMO in production.", id="relais.W002"))
    if settings.PRODUCTION and settings.ALLOW_PRIVATE_TARGETS:
        hint = "Unset it unless everybody who may subscribe may also reach your network."
        messages.append(Warning("RELAIS_ALLOW_PRIVATE_TARGETS is on.", hint=hint, id="relais.W003"))
    return messages


@register()
def check_business(app_configs: AppConfigs, **kwargs: Any) -> list[CheckMessage]:
    """E003: the currency, E004: the country, E008: the recipients' language, must exist. (An unknown time zone starts nothing.)"""
    messages: list[CheckMessage] = []
    if settings.RELAIS_CURRENCY not in moneyed.CURRENCIES:
        messages.append(Error(f"RELAIS_CURRENCY {settings.RELAIS_CURRENCY!r} is not an ISO 4217 code.", id="relais.E003"))
    if settings.RELAIS_COUNTRY not in phonenumbers.SUPPORTED_REGIONS:
        messages.append(Error(f"RELAIS_COUNTRY {settings.RELAIS_COUNTRY!r} is not an ISO 3166 code of two letters.", id="relais.E004"))
    if settings.RELAIS_RECIPIENT_LANGUAGE not in LANGUAGES:
        hint = f"The tracking page speaks {' and '.join(LANGUAGES)}."
        messages.append(Error(f"RELAIS_RECIPIENT_LANGUAGE {settings.RELAIS_RECIPIENT_LANGUAGE!r} is unknown.", hint=hint, id="relais.E008"))
    return messages


@register()
def check_places(app_configs: AppConfigs, **kwargs: Any) -> list[CheckMessage]:
    """E005: the geocoder must be known and take its options; E006: the router must be known and have its URL."""
    messages: list[CheckMessage] = []
    try:
        build_geocoder(settings.GEOCODER, settings.GEOCODER_OPTIONS, settings.GEOCODER_TIMEOUT)
    except ValueError as problem:
        messages.append(Error(str(problem), hint="See GEOCODER and GEOCODER_OPTIONS.", id="relais.E005"))
    try:
        build_router(settings.ROUTER, settings.ROUTER_URL, settings.ROUTER_TIMEOUT)
    except ValueError as problem:
        messages.append(Error(str(problem), hint="See ROUTER and ROUTER_URL.", id="relais.E006"))
    return messages
