"""Why a window was not landed."""

from __future__ import annotations


class LandingError(RuntimeError):
    """A window was not landed; raw and watermark are as before. The text names stream, numbers and next step."""


class ReconciliationError(LandingError):
    """The vendor counts other than what was read."""


class EmptySnapshotError(LandingError):
    """A snapshot came back empty although records are known."""


class AccountingError(LandingError):
    """Records were lost between reading and collecting: a fault of ours."""


class StreamBusyError(LandingError):
    """Another run is landing the same stream."""


class SweepRefusedError(LandingError):
    """So many known records are missing that another account is likelier than as many deletions."""
