"""The product's web process, with the baselines' urls."""

import os

from django.conf import settings

from config.wsgi import application

assert os.environ["DJANGO_SETTINGS_MODULE"] == "config.settings"
settings.ROOT_URLCONF = "tests.bench.urls"

__all__ = ["application"]
