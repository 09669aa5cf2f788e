"""Answers kept for a day, so that a call that comes again under the same key changes nothing and hears the same."""

from django.db import models


class KeptAnswer(models.Model):
    """What a caller was answered to the request that it sent under `key`.

    `fingerprint` tells that request from others. Answers hold what people told us, and some hold secrets that are shown
    once: `sealed_body` is encrypted (see `credentials.seal`).
    """

    caller = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    sealed_body = models.TextField()
    kept_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="kept_answer_once")]

    def __str__(self) -> str:
        return f"{self.status} to {self.caller}"
