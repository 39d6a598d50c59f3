"""What can keep a delivery from happening; every text names the thing, the values and the next step, never a person."""


class OutboxError(RuntimeError):
    """A delivery did not happen, or not to its end."""


class UnknownDestinationError(OutboxError):
    """No module of `destinations` declares the object."""


class SyncModelMissingError(OutboxError):
    """The model that says what leaves has not been built."""


class DestinationPausedError(OutboxError):
    """The kill-switch of the connection is on."""


class GateNotPassedError(OutboxError):
    """The rows about to leave were not checked in this run, or the check failed."""


class LargeChangeError(OutboxError):
    """More people would be taken out of an audience than any ordinary day explains."""


class AudienceNameError(OutboxError):
    """A segment's name cannot be part of an audience's name at the vendor."""


class DeliveryInProgressError(OutboxError):
    """Another run is delivering to the same destination."""


class AudienceFailedError(OutboxError):
    """The vendor gave up on an audience."""


class AudienceNotReadyError(OutboxError):
    """The vendor was not done within the patience of this run; the next run goes on waiting."""


class AudienceCountError(OutboxError):
    """The vendor's count of an audience cannot come from what was sent."""
