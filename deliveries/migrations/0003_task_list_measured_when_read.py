"""A courier's way through the day is measured when it is asked for: it was never kept up to date here."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0002_initial")]

    operations = [
        migrations.RemoveField(model_name="tasklist", name="distance"),
        migrations.RemoveField(model_name="tasklist", name="duration"),
        migrations.RemoveField(model_name="tasklist", name="polyline"),
    ]
