"""Answers are kept for a day, for whoever asks again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stores", "0003_order_by_private_ref"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("caller", models.CharField(max_length=64)),
                ("key", models.CharField(max_length=255)),
                ("fingerprint", models.CharField(max_length=64)),
                ("status", models.PositiveSmallIntegerField()),
                ("headers", models.JSONField(default=dict)),
                ("sealed_body", models.TextField()),
                ("kept_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("caller", "key"), name="kept_answer_once")],
            },
        ),
    ]
