"""Identity: which records are the same person, and the customer_id that person keeps for good."""

from kizuna.identity.resolution import (
    IdentifiersMissingError,
    IdentifiersVanishedError,
    IdentityError,
    Resolution,
    resolve,
)

__all__ = ["IdentifiersMissingError", "IdentifiersVanishedError", "IdentityError", "Resolution", "resolve"]
