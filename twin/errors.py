"""The one tree of errors.

Every error a person can meet names the thing, the value, the rule it broke and the next step. Foreign errors
(database, network, parser) are translated into this tree by the adapter that met them, chained with `from`.
"""

from __future__ import annotations


class TwinError(Exception):
    """Base of all errors raised on purpose.

    what       the thing that is wrong, e.g. "INST-003 metrics.temperature"
    value      the offending value as it came (shown shortened), or None where there is none
    rule       the rule it broke, e.g. "must lie between -20 and 150 °C"
    next_step  what the reader can do about it
    """

    def __init__(self, what: str, *, rule: str, next_step: str, value: object = None) -> None:
        self.what = what
        self.value = value
        self.rule = rule
        self.next_step = next_step
        shown = "" if value is None else f" = {shortened(value)}"
        super().__init__(f"{what}{shown}: {rule}. {next_step}")


def shortened(value: object, limit: int = 80) -> str:
    """`repr(value)`, at most `limit` characters, with the length it had when it was cut."""
    if isinstance(value, str | bytes) and len(value) > limit:
        return f"{value[:limit]!r}… ({len(value):,} long)"
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} long)"


class RecordError(TwinError):
    """A record that may not enter the twin; it goes to quarantine with this text as its reason."""


class BatchConflictError(TwinError):
    """The same batch identity arrived with other content; the stored one is kept, the new one is refused."""


class StoreUnavailableError(TwinError):
    """The store did not answer in time. Nothing was lost: the caller keeps its data and tries again."""


class StoreFullError(StoreUnavailableError):
    """The store answered that it has no room left (full disk, exhausted quota)."""


class StoreUnreadableError(StoreUnavailableError):
    """The store is damaged or of a newer version; waiting does not help, a person has to look."""


class TooLargeError(TwinError):
    """One document would be larger than the store can hold; the message names it."""


class LeaseLostError(TwinError):
    """Another holder has taken the shard; this one wrote nothing and must step down."""


class ConcurrentChangeError(TwinError):
    """Somebody else changed the document first; the message says who won."""


class NotAuthorisedError(TwinError):
    """The actor may not do this."""


class SettingsError(TwinError):
    """A setting is missing, malformed, or contradicts another."""


class ShapeError(TwinError, ValueError):
    """An array has the wrong shape, type, unit or definiteness."""


class SnapshotError(TwinError):
    """A snapshot or checkpoint cannot be read by this version."""


class UnknownAssetClassError(TwinError):
    """No asset class, or no device model, of that name is declared."""


class SetupError(TwinError):
    """The environment, a tool or a data set cannot be put in place."""


class WorkRefusedError(TwinError):
    """A step that a work order cannot take from where it is, or one without what it needs."""


class FaultRefusedError(TwinError):
    """A fault, or a repair, that makes no sense for that simulated device."""


class OutboxError(TwinError):
    """A gateway's outbox file cannot be used."""


class OutboxBusyError(OutboxError):
    """Another process owns the outbox: two simulators with one gateway name and one home."""


class OutboxFullError(OutboxError):
    """The outbox has no room; the reading was not kept, the next one is tried again."""


class ScenarioError(TwinError):
    """A scenario file is malformed; names the place in the file."""


class ReplayError(TwinError):
    """A recorded file, or the mapping that says how to read it, cannot be used."""


class DeliveryError(TwinError):
    """A notification was not delivered; it is tried again. `retry_after_s`: not before, where the receiver said so."""

    retry_after_s: float = 0.0


class DeliveryRefusedError(DeliveryError):
    """The receiver does not want it, or its address is not allowed: trying again helps only when somebody acts."""
