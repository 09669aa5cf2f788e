"""What happened before anybody could subscribe opens the feed, and is owed to nobody."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0004_outbox")]

    operations = [
        migrations.RunSQL(
            "INSERT INTO deliveries_feedentry (event_id) SELECT id FROM deliveries_event ORDER BY id",
            "DELETE FROM deliveries_feedentry",
        )
    ]
