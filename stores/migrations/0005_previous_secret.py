"""A secret that was replaced signs for a while longer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stores", "0004_kept_answer"),
    ]

    operations = [
        migrations.AddField(
            model_name="apiclient",
            name="sealed_previous_secret",
            field=models.TextField(blank=True, default="", editable=False),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="apiclient",
            name="previous_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
