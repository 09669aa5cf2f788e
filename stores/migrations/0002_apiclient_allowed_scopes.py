"""Clients may ask for the scopes that an admin allows them."""

import stores.models.client
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stores", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="apiclient",
            name="allowed_scopes",
            field=models.TextField(
                blank=True,
                default="tasks deliveries",
                help_text="What a CoopCycle client may ask for, separated by spaces. “tasks:all” shows it the tasks of every store.",
                validators=[stores.models.client.check_scopes],
            ),
        ),
    ]
