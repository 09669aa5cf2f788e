"""The feed can be read for one store; and what happened in one transaction long ago is told apart from the rest."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deliveries", "0005_past_events_were_told"), ("stores", "0004_kept_answer")]

    operations = [
        # Events from before there was a column for it all bear the transaction of the migration that made it; when they
        # were recorded is the beginning of their own. The minus keeps them clear of real ids.
        migrations.RunSQL(
            "UPDATE deliveries_event SET transaction_id = -(extract(epoch FROM recorded_at) * 1000000)::bigint",
            migrations.RunSQL.noop,
        ),
        migrations.AddField(
            model_name="feedentry",
            name="store",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"
            ),
        ),
        migrations.RunSQL(
            "UPDATE deliveries_feedentry AS entry SET store_id = event.store_id FROM deliveries_event AS event WHERE event.id = event_id",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="feedentry",
            name="store",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="stores.store"),
        ),
        migrations.AddIndex(model_name="feedentry", index=models.Index(fields=["store", "id"], name="feed_by_store")),
    ]
