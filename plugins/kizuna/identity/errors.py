"""What can be wrong with identity; each text says why and what to do, and holds no raw value."""

from __future__ import annotations


class IdentityError(RuntimeError):
    """Identity cannot be resolved as things are; the text says why and what to do."""


class EvidenceMissingError(IdentityError):
    """The table of changed evidence does not exist."""


class EvidenceVanishedError(IdentityError):
    """All evidence is gone although customers exist."""


class HashCollisionError(IdentityError):
    """Two different values have one hash."""


class OversizedCustomerError(IdentityError):
    """A customer, a component or the number of merges is above what the policy lets a run publish."""


class IdentityDriftError(IdentityError):
    """Solving everything again gives another answer than the runs have left."""
