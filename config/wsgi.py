"""The door for web servers: `granian --interface wsgi config.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Only web processes live long enough, and hold enough threads, for a pool of connections to pay.
os.environ.setdefault("RELAIS_POOL_SIZE", "8")

application = get_wsgi_application()
