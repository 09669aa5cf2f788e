"""A quick hash for secrets that nobody chose: 512 random bits need no slowing down, and a token is asked for often."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class RandomSecretHasher(PBKDF2PasswordHasher):
    """For client secrets alone; people's passwords are hashed with Argon2."""

    algorithm = "pbkdf2_sha256_random"
    iterations = 1
