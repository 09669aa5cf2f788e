"""Orders are found by what a client calls them."""

import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("stores", "0002_apiclient_allowed_scopes"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="order",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["private_refs"], name="order_by_private_ref", opclasses=["jsonb_path_ops"]
            ),
        ),
    ]
