"""Every setting, from the environment that `config.environment` reads."""

import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

from config.database import KINDS, DatabaseURLError, EmbeddedPostgres, parse_url, tuned
from config.environment import env_bool, env_int, env_list, env_object, env_percent, env_positive, env_str, env_word, env_zone, hand_on
from config.keys import derived_key, persisted_secret

# --- What kind of instance this is ---------------------------------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = "pytest" in sys.modules
DEBUG = env_bool("RELAIS_DEBUG", default=False)
# Nothing configured means somebody is trying it out. As soon as a secret or a database is given, it is meant seriously.
DEMO = env_bool("RELAIS_DEMO", default=TESTING or DEBUG or not (env_str("SECRET_KEY", "") or env_str("DATABASE_URL", "")))
PRODUCTION = not (DEBUG or DEMO)
DATA_DIR = Path(env_str("DATA_DIR", str(BASE_DIR / "var"))).expanduser().resolve()

# --- Secrets -------------------------------------------------------------------------------------------------------------------

SECRET_KEY = env_str("SECRET_KEY") if PRODUCTION else env_str("SECRET_KEY", "") or persisted_secret(DATA_DIR / "secret_key")
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS", [])
# Encrypts the secrets that must be readable again, because they sign. Production gives its own, so that SECRET_KEY can be changed
# without losing them; a system check refuses to go on without it.
ENCRYPTION_KEY = env_str("ENCRYPTION_KEY", "" if PRODUCTION else derived_key(SECRET_KEY))

# --- Where it is reached -------------------------------------------------------------------------------------------------------

PORT = env_int("PORT", 8000)
BASE_URL = env_str("RELAIS_BASE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", [] if PRODUCTION else ["127.0.0.1", "localhost", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = [BASE_URL]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# Paths are part of the two dialects; answering another path with a redirect would make clients lose their body.
APPEND_SLASH = False

# --- The business --------------------------------------------------------------------------------------------------------------

RELAIS_BRAND = env_str("RELAIS_BRAND", "Relais")
RELAIS_COUNTRY = env_str("RELAIS_COUNTRY", "FR").upper()
RELAIS_CURRENCY = env_str("RELAIS_CURRENCY", "EUR").upper()
RELAIS_VAT_PERCENT = env_percent("RELAIS_VAT_PERCENT", Decimal(20))
RELAIS_RECIPIENT_LANGUAGE = env_str("RELAIS_RECIPIENT_LANGUAGE", "en").lower()
# The instance's own fleet, which is a carrier like any other.
HOUSE_CARRIER = {"name": env_str("RELAIS_CARRIER_NAME", RELAIS_BRAND), "ref": env_str("RELAIS_CARRIER_REF", "relais")}

# --- Apps ----------------------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "config.apps.RelaisAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "oauth2_provider",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "procrastinate.contrib.django",
    "stores.apps.StoresConfig",
    "quotes.apps.QuotesConfig",
    "deliveries.apps.DeliveriesConfig",
]

MIDDLEWARE = [
    "config.requests.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.headers.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "deliveries.pages.brand.brand",
            ],
        },
    },
]

# --- Database and jobs ---------------------------------------------------------------------------------------------------------

DATABASE_URL = env_str("DATABASE_URL", "")
EMBEDDED_POSTGRES: EmbeddedPostgres | None = None
if not DATABASE_URL:
    EMBEDDED_POSTGRES = EmbeddedPostgres(DATA_DIR / "postgres")
    # The type checker reads these settings, asks no database, and leaves without the goodbye that stops the server.
    DATABASE_URL = "postgres:///relais" if "mypy.main" in sys.modules else EMBEDDED_POSTGRES.start()
    # Children of this process go straight to the server, and are the same kind of instance with the same files.
    hand_on({"DATABASE_URL": DATABASE_URL, "DATA_DIR": str(DATA_DIR), "RELAIS_DEMO": str(int(DEMO))})

KIND = KINDS[env_word("RELAIS_PROCESS", tuple(KINDS), "command")]
KIND = replace(KIND, pool_size=0 if TESTING else env_int("RELAIS_POOL_SIZE", KIND.pool_size))
try:
    DATABASES = {"default": parse_url(DATABASE_URL)}
except DatabaseURLError as problem:
    raise ImproperlyConfigured(f"DATABASE_URL cannot be used: {problem}.") from problem
DATABASES["default"] = tuned(DATABASES["default"], kind=KIND, keep=not TESTING)

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- People and software -------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "stores.User"
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = reverse_lazy("admin:index")
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "stores.hashers.RandomSecretHasher",
]
if TESTING:
    # A slow digest protects real people's passwords, and would only make each test wait.
    PASSWORD_HASHERS.insert(0, "django.contrib.auth.hashers.MD5PasswordHasher")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]

OAUTH2_PROVIDER_APPLICATION_MODEL = "stores.ApiClient"
OAUTH2_PROVIDER = {
    "SCOPES": {
        "tasks": "Read the tasks of the client's store",
        "deliveries": "Create, read and change the deliveries of the client's store",
        "orders": "Read and change the orders of the client's store",
        "tasks:all": "Read the tasks of every store",
        "orders:all": "Read and change the orders of every store",
    },
    "SCOPES_BACKEND_CLASS": "deliveries.api.coopcycle.scopes.AllowedScopes",
    "DEFAULT_SCOPES": ["deliveries"],
    "CLIENT_SECRET_HASHER": "pbkdf2_sha256_random",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 24 * 3600,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "https"] if DEMO else ["https"],
    # Only the digest of a token is stored, and the flows that today's best practice (RFC 9700) advises against are off.
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(hours=1),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=30),
    "ROTATE_REFRESH_TOKENS": False,
    "UPDATE_LAST_LOGIN": False,
}

# --- REST ----------------------------------------------------------------------------------------------------------------------

# Each dialect brings its own authentication, errors and formats; nothing global may lean on one of them.
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": RELAIS_BRAND,
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "ENUM_NAME_OVERRIDES": {"DeliveryStatus": "deliveries.statuses.DeliveryStatus", "OrderStatus": "stores.models.order.OrderStatus"},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

# --- Places --------------------------------------------------------------------------------------------------------------------

# `gazetteer` knows the addresses of the demo and needs no network; every geocoder of geopy goes by its name there.
GEOCODER = env_str("GEOCODER", "gazetteer").lower()
GEOCODER_OPTIONS = env_object("GEOCODER_OPTIONS", {})
GEOCODER_TIMEOUT = env_positive("GEOCODER_TIMEOUT", 3.0)
ROUTER = env_str("ROUTER", "great_circle").lower()
ROUTER_URL = env_str("ROUTER_URL", "").rstrip("/")
ROUTER_TIMEOUT = env_positive("ROUTER_TIMEOUT", 3.0)
# How much longer the way through streets is than the straight line.
DETOUR_FACTOR = env_positive("DETOUR_FACTOR", 1.3)

# --- Calls out -----------------------------------------------------------------------------------------------------------------

# Webhooks may then be sent in plain http, and to this machine and its neighbours.
ALLOW_PRIVATE_TARGETS = env_bool("RELAIS_ALLOW_PRIVATE_TARGETS", default=DEMO)

# --- Time and language ---------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = env_zone("RELAIS_TIME_ZONE", "Europe/Paris")
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = ["config.formats"]

# --- Files ---------------------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
MEDIA_URL = "/media/"
MEDIA_ROOT = DATA_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or TESTING

# --- Transport security --------------------------------------------------------------------------------------------------------

# A demo speaks plain http on the loopback address; everything else is behind a proxy that ends TLS.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_SSL_REDIRECT = PRODUCTION and env_bool("RELAIS_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]
# Browsers remember it for that long. Other names of the domain may be none of ours, so they are left alone unless asked for.
SECURE_HSTS_SECONDS = env_int("RELAIS_HSTS_SECONDS", 365 * 24 * 3600) if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION and env_bool("RELAIS_HSTS_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = PRODUCTION and env_bool("RELAIS_HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # they want both for every site
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SECURE = PRODUCTION
X_FRAME_OPTIONS = "DENY"
# Browsers share cookies between ports of one host; demos side by side must not log each other out.
SESSION_COOKIE_NAME = "relais_session" if PRODUCTION else f"relais_session_{PORT}"
CSRF_COOKIE_NAME = "relais_csrf" if PRODUCTION else f"relais_csrf_{PORT}"

# --- Looks ---------------------------------------------------------------------------------------------------------------------

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": RELAIS_BRAND,
    "SITE_HEADER": RELAIS_BRAND,
    "SITE_SUBHEADER": "Dispatch desk",
    "SITE_SYMBOL": "pedal_bike",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "oklch(97.7% .013 166)",
            "100": "oklch(95% .045 166)",
            "200": "oklch(90.2% .08 166)",
            "300": "oklch(83% .115 166)",
            "400": "oklch(74% .135 165)",
            "500": "oklch(64% .13 164)",
            "600": "oklch(54% .115 164)",
            "700": "oklch(46% .098 165)",
            "800": "oklch(39% .08 166)",
            "900": "oklch(34% .066 167)",
            "950": "oklch(25% .05 168)",
        },
    },
    "DASHBOARD_CALLBACK": "deliveries.admin.dashboard.index",
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": "config.admin.navigation"},
}

# --- Logging -------------------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "config.logs.Line", "format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "config.logs.Json"},
    },
    "filters": {"refusals": {"()": "config.logs.WithoutTracebackOfRefusals"}, "request_id": {"()": "config.logs.WithoutSecrets"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": env_word("RELAIS_LOG_FORMAT", ("json", "line"), "json" if PRODUCTION else "line"),
            "filters": ["refusals", "request_id"],
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {name: {"level": env_str("RELAIS_LOG_LEVEL", "INFO").upper()} for name in ("stores", "quotes", "deliveries", "relais")},
}
