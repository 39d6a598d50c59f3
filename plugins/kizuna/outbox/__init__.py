"""The outbox: make a destination equal to its sync model, from the last acknowledged state, through every crash."""

from kizuna.outbox.delivery import Delivery, Pace, deliver
from kizuna.outbox.errors import (
    AudienceCountError,
    AudienceFailedError,
    AudienceNameError,
    AudienceNotReadyError,
    DeliveryInProgressError,
    DestinationPausedError,
    GateNotPassedError,
    LargeChangeError,
    OutboxError,
    SyncModelMissingError,
    UnknownDestinationError,
)

__all__ = [
    "AudienceCountError",
    "AudienceFailedError",
    "AudienceNameError",
    "AudienceNotReadyError",
    "Delivery",
    "DeliveryInProgressError",
    "DestinationPausedError",
    "GateNotPassedError",
    "LargeChangeError",
    "OutboxError",
    "Pace",
    "SyncModelMissingError",
    "UnknownDestinationError",
    "deliver",
]
