"""Identity: which records are the same person, and the customer_id that person keeps for good."""

from kizuna.identity.errors import (
    EvidenceMissingError,
    EvidenceVanishedError,
    HashCollisionError,
    IdentityDriftError,
    IdentityError,
    OversizedCustomerError,
)
from kizuna.identity.resolution import Resolution, resolve, verify
from kizuna.identity.ruling import reread_by_new_rules

__all__ = [
    "EvidenceMissingError",
    "EvidenceVanishedError",
    "HashCollisionError",
    "IdentityDriftError",
    "IdentityError",
    "OversizedCustomerError",
    "Resolution",
    "reread_by_new_rules",
    "resolve",
    "verify",
]
